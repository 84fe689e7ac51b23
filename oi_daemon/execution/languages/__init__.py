"""The languages, one module each: its names, how to start it, and what it needs."""
