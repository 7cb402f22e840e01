"""What the user asks for: the scenario file, read, checked and resolved."""
