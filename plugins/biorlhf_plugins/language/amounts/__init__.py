"""What amounts make together, wherever in a passage they stand: wholes and parts, shares, changes, rates."""
