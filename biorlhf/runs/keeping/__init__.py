"""What keeps a run: its lock, whole writes, checkpoints, and what is said where it ends before its end."""
