"""The Python library: the reference's object, over a daemon of its own."""
