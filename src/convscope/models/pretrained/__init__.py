"""Published and foreign weights: download, identification, key names, loading."""
