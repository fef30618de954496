"""`biorlhf data`: list, show, stats, build, check, export."""
