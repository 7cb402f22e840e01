"""Arrays in, records out: what each request and each replica of a pool lived through.

Knows no money and no scenario files.
"""
