"""Rendering: an edition becomes the two bodies of a mail."""
