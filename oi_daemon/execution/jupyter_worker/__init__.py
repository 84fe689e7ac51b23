"""A Jupyter kernel as a worker: its messages become text, marks and notices.

Runs as a process of its own, under the daemon's Python, with jupyter_client.
"""
