"""Models on this machine: servers found on their usual ports, files embedded, one to download."""
