"""Reports: what a run learnt, as text, as a page, as a model card. Nothing here writes to a run."""
