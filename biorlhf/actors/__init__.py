"""Ray lives here, and only here. Each actor wraps a plain class from the engines or the core."""
