"""The workers of a run as the pipeline sees them, on Ray or in this process."""
