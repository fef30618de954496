"""A run: its workers, stages, evaluations and folder. The only room that knows the whole way."""
