"""Built-in trackers, one module each; the package of each comes with the extra of its name."""
