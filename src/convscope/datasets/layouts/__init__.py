"""How data lie on disk: one file per layout."""
