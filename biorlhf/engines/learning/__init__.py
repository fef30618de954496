"""The learner: from groups of token ids to one optimizer update."""
