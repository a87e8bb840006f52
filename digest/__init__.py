"""Digest: a personal email digest from listing files, one ranked mail per subscriber and local day."""

__version__ = "0.1.0"
