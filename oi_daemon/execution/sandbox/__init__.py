"""The sandbox: which files code may write and read, and what else it may reach."""
