"""A price list as a file of one's own prices, as ``--prices`` reads it.

See ``costsim.catalog.overrides`` for its form. The text depends on the list only: the
same list gives the same file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from costsim.catalog.imports.listing import PriceList, Reason, Tally
from costsim.catalog.imports.section import Section
from costsim.catalog.lookup import unknown
from costsim.errors import CatalogError
from costsim.yaml_source.characters import MAX_BYTES
from costsim.yaml_source.syntax import PATTERNS, TAG

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from costsim.catalog.imports.listing import ListedPrice

PROVIDER_PLATFORMS: Mapping[str, str] = MappingProxyType(
    {
        "aws": "ec2",
        "azure": "azure-vm",
        "coreweave": "coreweave",
        "crusoe": "crusoe",
        "gcp": "gce",
        "lambda": "lambda-cloud",
        "lambdalabs": "lambda-cloud",
        "nebius": "nebius",
        "oci": "oci",
        "runpod": "runpod-pods",
        "vast": "vast",
        "vastai": "vast",
    }
)
"""The platform that each provider's instances are, by the names that lists use."""


@dataclass(frozen=True)
class PriceFile:
    """A file of prices."""

    text: str
    """What to write into it."""
    warnings: tuple[str, ...]
    """What of the list is not in it, and what to know about the rest."""
    n_prices: int
    """Prices in it."""


def as_price_file(
    price_list: PriceList,
    platform_by_provider: Mapping[str, str] = PROVIDER_PLATFORMS,
    *,
    region: str | None = None,
    spot: bool = False,
    priced_by_gpu: Collection[str] = (),
) -> PriceFile:
    """Return a list as a file of one's own prices.

    Parameters
    ----------
    price_list : PriceList
        What to write.
    platform_by_provider : mapping of str to str
        Platform of each provider; rows of others are left out.
    region : str, optional
        Prices of this region only. Without one, each instance has the price of its
        cheapest region; its note says which.
    spot : bool, default False
        Spot prices instead of those on demand.
    priced_by_gpu : collection of str, optional
        Platforms that have no instances but a price for each GPU. A GPU then has its share
        of the instance where it is cheapest.

    Raises
    ------
    CatalogError
        If nothing is left to write, the region is unknown, or the file would be too large
        to be read.
    """
    _check_region(price_list, region)
    tally = Tally()
    rows = _by_platform(price_list, platform_by_provider, tally)
    origin = {"source": price_list.source, "as_of": price_list.as_of}
    prices = {
        platform: Section(region, spot, platform in priced_by_gpu, tally).of(
            rows[platform]
        )
        for platform in rows
    }
    sections = {name: origin | found for name, found in prices.items() if found}
    warnings = (*price_list.warnings, *map(str, tally.left_out))
    if not sections:
        message = "; ".join(["nothing in this list can be used", *warnings])
        raise CatalogError(message, path=price_list.path)
    text = _head(price_list, warnings) + _dump(sections)
    _check_size(text, price_list.path)
    n_prices = sum(len(part) for found in prices.values() for part in found.values())
    return PriceFile(text, warnings, n_prices)


def _by_platform(
    price_list: PriceList, platform_by_provider: Mapping[str, str], tally: Tally
) -> dict[str, list[ListedPrice]]:
    """Return the rows of each platform, in alphabetical order."""
    rows: dict[str, list[ListedPrice]] = defaultdict(list)
    for row in price_list.rows:
        platform = platform_by_provider.get(row.provider)
        if platform is None:
            tally.leave_out(Reason.NO_PLATFORM, row.provider)
        else:
            rows[platform].append(row)
    return {platform: rows[platform] for platform in sorted(rows)}


class _Dumper(yaml.SafeDumper):
    """Quotes what the reader would take for something else than text."""


for _name, _pattern in PATTERNS.items():
    # PyYAML knows YAML 1.1: it would leave 1e5 and 0o17 bare, which are numbers in 1.2.
    _Dumper.add_implicit_resolver(f"{TAG}{_name}", _pattern, None)


def _dump(sections: dict[str, Any]) -> str:
    # One line for each instance, however long.
    text: str = yaml.dump(
        sections,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=1_000_000,
    )
    return text


def _head(price_list: PriceList, warnings: Iterable[str]) -> str:
    """Return the comment on top of the file."""
    lines = [
        f"Prices from {price_list.source} ({price_list.as_of}), as costsim read them.",
        *warnings,
    ]
    # A line break in a name of the list must not end the comment.
    shown = ("".join(c if c.isprintable() else " " for c in line) for line in lines)
    return "".join(f"# {line}\n" for line in shown)


def _check_region(price_list: PriceList, region: str | None) -> None:
    folded = {name.casefold() for name in price_list.regions}
    if region is not None and region.casefold() not in folded:
        message = unknown("region", region, price_list.regions)
        raise CatalogError(message, path=price_list.path)


def _check_size(text: str, path: str) -> None:
    size = len(text.encode())
    if size > MAX_BYTES:
        message = (
            f"makes a price file of {size >> 10} KiB; the most that is read is "
            f"{MAX_BYTES >> 10}: read one provider or region of it"
        )
        raise CatalogError(message, path=path)
