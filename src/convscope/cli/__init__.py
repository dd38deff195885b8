"""The command line: parse, call `convscope.api`, show. No logic lives here."""
