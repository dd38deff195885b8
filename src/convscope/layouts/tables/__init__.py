"""Tables of images and their targets: CSV, JSON Lines and Parquet."""
