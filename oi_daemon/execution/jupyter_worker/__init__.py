"""A Jupyter kernel as a worker: its messages become output, marks and control messages.

It runs as a process of its own, under the daemon's Python, with `jupyter_client`.
"""
