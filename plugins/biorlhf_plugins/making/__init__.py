"""Making datasets: items, splits, balance, Parquet. Knows no dataset by name."""
