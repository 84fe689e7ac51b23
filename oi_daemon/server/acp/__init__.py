"""The Agent Client Protocol (ACP), version 1: editors and agent hosts as clients of conversations.

An ACP session is a conversation of ours, under the same id. `adapter` answers the client's
requests, `session` turns a conversation's chunks into updates. All of it is written against the
coroutines of `oi_daemon.server.methods.Methods`, as any other client of them.
"""
