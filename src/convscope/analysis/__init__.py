"""Explain methods over a run's network, or any other: pictures, numbers and sentences.

`registry.METHODS` lists them, `runner.explain` runs one, `target` opens what is explained. Nothing is imported here:
the registry is read by ``convscope explain --help``, which loads no PyTorch.
"""
