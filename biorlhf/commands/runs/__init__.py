"""The commands of `biorlhf runs`: list, show, watch and clean."""
