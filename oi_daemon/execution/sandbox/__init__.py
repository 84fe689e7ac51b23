"""What code may write, read and reach, held by the system."""
