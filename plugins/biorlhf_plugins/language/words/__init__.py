"""Spelling: normalisation, numbers, names, and every list of words. The only room that compares text."""
