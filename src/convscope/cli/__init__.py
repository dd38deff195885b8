"""The command line: parse arguments, call `convscope.api`, print the result."""
