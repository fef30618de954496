"""The commands `biorlhf plugins` and `biorlhf plugins new`; the templates of new plugins."""
