"""The wire: its methods and their types, chunks in their wire form, JSON-RPC and its framings.

The daemon's server and the Python client both import it.
"""
