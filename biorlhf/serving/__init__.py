"""A trained policy, asked one question or many."""
