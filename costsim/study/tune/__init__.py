"""The cheapest settings that meet an SLO: ``costsim.tune``."""
