"""`python -m oi_daemon` runs the command `oi-daemon`."""

from oi_daemon.cli import daemon

if __name__ == "__main__":
    daemon()
