"""What a text's sentences tell of one another: totals, shares, lists, ranks, exceptions, repeats."""
