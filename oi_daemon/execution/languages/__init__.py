"""The languages: each a module that says what it is called, what starts it, and what it needs."""
