"""What a person hands in: YAML, settings, rows of data. Every error says where, what, and what is allowed.

And how a file that a person gets back is written.
"""
