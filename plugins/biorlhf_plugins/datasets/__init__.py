"""Built-in datasets, one module each; modules with a leading underscore are shared parts."""
