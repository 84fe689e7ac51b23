"""What a person sees and types in a terminal.

It knows the library's object by the protocols in `conversation.py`, and never the daemon.
"""
