"""The names of the system that this one follows, kept working."""
