"""``python -m convscope`` runs the command line."""

from convscope.cli.main import main

main()
