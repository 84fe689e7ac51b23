"""Serves one client: its session, the methods of the wire, what goes out, and the language server."""
