"""The command line: parse, call `convscope.run`, show. No logic lives here."""
