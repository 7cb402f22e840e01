"""``python -m costsim``."""

from costsim.cli import main

if __name__ == "__main__":
    main()
