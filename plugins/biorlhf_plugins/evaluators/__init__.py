"""Built-in evaluators, one module each; modules with a leading underscore are shared parts."""
