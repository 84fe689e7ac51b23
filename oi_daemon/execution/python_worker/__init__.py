"""The process that runs a conversation's Python code, under the user's own Python.

It uses only the standard library, supports Python 3.8 and later, and imports nothing of the daemon.
At start it imports only what every block needs, because imports are most of its start time. The
daemon's side of the connection is `oi_daemon.execution.process.language_process`.
"""
