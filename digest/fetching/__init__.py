"""A file from an address of the web: `http` asks for it, `wire` bounds what comes, `files` keeps it in a folder.

What may be connected to is in `address`, and how long to wait for the next try in `waits`; both are pure.
"""
