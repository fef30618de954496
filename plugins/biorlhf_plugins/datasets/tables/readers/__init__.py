"""Tables as tools write them: source, text, columns."""
