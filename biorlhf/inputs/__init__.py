"""What a person hands in: YAML, settings, rows of data. Every error says where, what, and what is allowed."""
