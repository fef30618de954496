"""Grading: what is claimed against what is true. Knows no verifier and no score."""
