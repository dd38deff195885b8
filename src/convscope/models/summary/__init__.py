"""Layer by layer: shapes, parameters, multiply-adds, receptive fields and warnings."""
