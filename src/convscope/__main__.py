"""``python -m convscope`` is the command line."""

from convscope.cli.main import main

main()
