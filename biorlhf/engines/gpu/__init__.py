"""What makes a GPU fast: fused row operations, and attention over texts of any lengths in one call."""
