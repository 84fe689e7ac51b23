"""Models on this machine: servers on their usual ports, model files, and one to download."""
