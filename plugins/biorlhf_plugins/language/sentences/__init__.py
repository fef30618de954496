"""Clauses, negation, pronouns, arithmetic: how words stand to each other."""
