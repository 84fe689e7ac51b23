"""The process that runs a conversation's Python code, under the user's own interpreter.

Standard library only, Python 3.8 and later, and nothing imported at the start that is not needed
for every block. Talks to `oi_daemon.execution.process.worker`; imports nothing of the daemon.
"""
