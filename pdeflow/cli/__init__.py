"""The command line: one module per group of commands, argument parsing only."""
