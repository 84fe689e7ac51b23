"""A Jupyter kernel as a worker: its messages become output, marks and notices.

It runs as a process of its own, under the daemon's Python, with `jupyter_client`.
"""
