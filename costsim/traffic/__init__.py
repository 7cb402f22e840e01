"""When requests arrive and how much work each brings, as arrays."""
