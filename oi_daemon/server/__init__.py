"""Serves one client: its session, the wire's methods, what goes out, and the language server."""
