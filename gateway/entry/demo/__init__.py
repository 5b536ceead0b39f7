"""What `--demo` brings: a firm, telephones, calls."""
