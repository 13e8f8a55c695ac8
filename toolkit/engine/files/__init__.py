"""Files in place: tables whose rows stay in Parquet, JSON lines and CSV files and are read when a query asks for them."""
