"""Several processes for one command: they are started, watched, and started again when one of them dies."""
