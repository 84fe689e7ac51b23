"""`python -m oi_daemon` is `oi-daemon`."""

from oi_daemon.cli import daemon

if __name__ == "__main__":
    daemon()
