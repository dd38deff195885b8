"""Explain methods for a run's network or any module: pictures, numbers and a summary.

`registry.METHODS` lists them, `runner.explain` runs one, `target` opens the network to explain. Nothing is imported
here: ``convscope explain --help`` reads the registry without PyTorch.
"""
