"""Free reading, graded: directions, figures, classes and short answers of a text without a block."""
