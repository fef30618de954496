"""``python -m biorlhf``."""

from biorlhf.cli import main

main()
