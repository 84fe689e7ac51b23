"""The wire: its methods and shapes, chunks as they travel, JSON-RPC and its two framings.

Both ends import it: the daemon's server and the Python client.
"""
