"""Text as papers have it, in any charset and markup, to plain readable text on one line."""
