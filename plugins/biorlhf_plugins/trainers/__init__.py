"""Built-in trainers, one module each; modules with a leading underscore are shared parts."""
