"""A worked bill for people: the life of one replica, the bill, and what they come to."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from costsim.report.columns import Column, render
from costsim.units import SECONDS_PER_HOUR, format_fraction

if TYPE_CHECKING:
    from rich.console import RenderableType

    from costsim.billing.bill import Bill, LineItem
    from costsim.catalog.platform import Platform
    from costsim.catalog.prices import Prices
    from costsim.study.worked_bill import LifePart, WorkedBill


def example_record(example: WorkedBill) -> dict[str, object]:
    """Return a worked bill as one object for programs."""
    return {
        "what": example.what,
        "usd_per_hour": example.usd_per_hour,
        "always_on": example.always_on,
        "tries": example.tries,
        "phases": [asdict(part) for part in example.life],
        "bill_lines": [asdict(line) for line in example.bill.items],
        "used_s": example.used_s,
        "billed_s": example.billed_s,
        "total_usd": example.bill.total_usd,
        "sources": [asdict(source) for source in example.sources],
    }


def example_parts(
    platform: Platform, example: WorkedBill, width: int
) -> list[RenderableType]:
    """Return a worked bill for a terminal: premises, life, bill, verdict."""
    digits = _digits(example.bill.total_usd)
    total = f"Total: {example.bill.total_usd:,.{digits}f} USD."
    return [
        Text(_premises(platform, example)),
        Text(""),
        render(_life(example.life), width),
        Text(""),
        render(_lines(example.bill, digits), width),
        Text(f"\n{total}{_rounding(example)}"),
        Text(verdict(example), style="bold"),
        Text(f"Prices: {'; '.join(_origins(example))}.", overflow="fold"),
    ]


def _origins(example: WorkedBill) -> list[str]:
    """Return each source of a price once, with the dates of its prices."""
    dates: dict[str, dict[str, None]] = {}
    for one in example.sources:
        dates.setdefault(one.source, {})[one.as_of] = None
    return [f"{source} ({', '.join(days)})" for source, days in dates.items()]


def _premises(platform: Platform, example: WorkedBill) -> str:
    """Return what the example takes for granted."""
    word = platform.replica
    what = "" if example.what == word else f" with {example.what}"
    price = f"{plain(example.usd_per_hour)} USD/h"
    setup = "The setup and the time in service are made up; settings are the defaults."
    if example.always_on:
        first = f"An hour of one {word}{what}, {price}, and one request in it."
        setup = "The time in service is made up; settings are the defaults."
    else:
        first = f"The life of one {word}{what}, {price}, for one request at second 0."
    parts = [first, setup]
    if least := _least(platform.prices):
        parts.append(f"It has the least that is billed: {least}.")
    if example.tries > 1:
        parts.append(
            f"At zero the request is turned away, but wakes a {word}: the client comes "
            "again when that is ready."
        )
    if left_out := _left_out(platform.prices):
        parts.append(f"Left out, as it goes by the month: {left_out}.")
    return " ".join(parts)


def _least(prices: Prices) -> str:
    """Return the CPU and memory that are charged at least, where they are priced apart."""
    parts = [] if prices.cpu is None else [f"{prices.cpu.minimum:g} cores"]
    if prices.memory is not None:
        parts.append(f"{prices.memory.minimum:g} GiB")
    return " and ".join(parts)


def _left_out(prices: Prices) -> str:
    """Return what of the prices is counted by the month."""
    plan = prices.plans.get(prices.default_plan)
    parts = []
    if plan is not None and plan.fee:
        parts.append(f"the fee of plan {prices.default_plan}")
    if plan is not None and plan.credit:
        parts.append(f"the credit of plan {prices.default_plan}")
    metered = (prices.cpu, prices.memory)
    granted = [one.free_seconds for one in metered if one is not None]
    if any(granted) or (prices.requests is not None and prices.requests.free):
        parts.append("what is free each month")
    return ", ".join(parts)


def _life(life: tuple[LifePart, ...]) -> list[Column]:
    return [
        Column("FROM", tuple(_seconds(part.from_s) for part in life), "right"),
        Column("TO", tuple(_seconds(part.to_s) for part in life), "right"),
        Column("LASTS", tuple(_seconds(part.lasts_s) for part in life), "right"),
        Column("PHASE", tuple(part.phase for part in life)),
        Column("BILLED", tuple(_billed(part.share) for part in life)),
    ]


def _billed(share: float) -> str:
    if share in (0.0, 1.0):
        return "yes" if share else "no"
    return f"at {format_fraction(share)}"


def _lines(bill: Bill, digits: int) -> list[Column]:
    items = bill.items
    return [
        Column("PART", tuple(item.component.replace("_", " ") for item in items)),
        Column("FOR", tuple(item.phase.replace("_", " ") for item in items)),
        Column("QUANTITY", tuple(_quantity(item) for item in items), "right"),
        Column("PRICE", tuple(_price(item) for item in items), "right"),
        Column("USD", tuple(f"{item.cost_usd:,.{digits}f}" for item in items), "right"),
    ]


def _quantity(item: LineItem) -> str:
    """Return how much was metered; replica-hours as seconds."""
    if item.unit == "replica-hour":
        return _seconds(item.quantity * SECONDS_PER_HOUR)
    return f"{plain(item.quantity)} {item.unit}"


def _price(item: LineItem) -> str:
    unit = "h" if item.unit == "replica-hour" else item.unit
    return f"{plain(item.usd_per_unit)} USD/{unit}"


def _rounding(example: WorkedBill) -> str:
    """Return what was added to the seconds of the life, if anything."""
    lived_s = sum(part.lasts_s for part in example.life if part.share)
    if math.isclose(lived_s, example.billed_s):
        return ""
    return f" {_seconds(lived_s)} are billed as {_seconds(example.billed_s)}."


def verdict(example: WorkedBill) -> str:
    """Return what was used and what is paid for, as a sentence."""
    used = (
        f"You used {_seconds(example.used_s)} and pay for {_seconds(example.billed_s)}"
    )
    times = example.times_as_much
    if math.isclose(times, 1.0):
        return f"{used}: what you used."
    factor = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
    return f"{used}: {factor} times as much."


def _seconds(seconds: float) -> str:
    return f"{plain(round(seconds, 6))} s"


def _digits(total_usd: float) -> int:
    """Return the decimals that show six digits of an amount, four of a large one."""
    if total_usd <= 0:
        return 4
    return min(12, max(4, 5 - math.floor(math.log10(total_usd))))


def plain(value: float) -> str:
    """Return a number without an exponent or useless zeros: ``0.0000002``."""
    return f"{value:,.10f}".rstrip("0").rstrip(".")
