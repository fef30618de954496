"""Stance: abstentions, stated confidence, contradictions of the whole answer."""
