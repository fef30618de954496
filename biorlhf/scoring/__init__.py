"""Scoring: verifiers in processes of their own, pools of them, and files of answers."""
