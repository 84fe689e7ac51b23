"""One conversation: its turns, the blocks that wait for a person, and what it has cost."""
