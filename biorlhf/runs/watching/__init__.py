"""What a person watches of a run: the terminal, a file of progress, other programs."""
