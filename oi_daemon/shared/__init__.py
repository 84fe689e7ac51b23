"""Reaches the daemon that a user's clients share. Standard library only, and little of it."""
