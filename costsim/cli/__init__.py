"""The command line: parse, call, print, exit. The only package that prints or exits."""

from costsim.cli.app import main

__all__ = ["main"]
