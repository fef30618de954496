"""What figures tell of one another, whatever the sentence: derived ones, and those of two sides."""
