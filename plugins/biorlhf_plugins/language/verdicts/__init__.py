"""What a text makes of its figures: significant or not, ranks, yes or no."""
