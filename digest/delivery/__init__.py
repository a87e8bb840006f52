"""An edition's way out: its bytes, the gate on them, one SMTP connection, and the pool of connections.

Import the files themselves: a command that sends nothing must not pay for the SMTP library.
"""
