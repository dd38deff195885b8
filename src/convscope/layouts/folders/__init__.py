"""Classes in the names of folders and files."""
