"""What a person sees and types in a terminal.

Knows the library's object by the little that it needs of it (`conversation.py`), never the daemon.
"""
