"""A platform's pool with a deployment's schedule: what the platform allows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.scenario.timetable import timetable
from costsim.scenario.vendor_pool import replica_cap
from costsim.spec import RuleError
from costsim.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    from costsim.scenario.pool import Pool
    from costsim.scenario.schedule import Schedule, ScheduleEntry
    from costsim.scenario.schema import Scenario
    from costsim.scenario.vendor_pool import Case

CHECKED_S = 366 * SECONDS_PER_DAY
"""How far a schedule is checked where a trace has yet to tell the horizon. [s]"""


def with_schedule(
    pool: Pool | None, schedule: Schedule, case: Case, scenario: Scenario
) -> Pool | None:
    """Return a platform's pool with a schedule, or None after a problem.

    Each entry's bounds must be such as the platform takes for its own settings; a
    maximum beyond what it gives is cut, as one in the settings is.
    """
    if pool is None or not schedule:
        return pool
    findings = case.findings
    entries = [
        _allowed(entry, f"schedule.{index}", case)
        for index, entry in enumerate(schedule)
    ]
    rules = case.platform.billing.metering()
    moves_min = any(entry.min_replicas is not None for entry in entries)
    if moves_min and rules.tells_min_replicas:
        message = (
            f"{case.platform.title} has another price for the min replicas, and costsim "
            "can tell a constant number of them only"
        )
        findings.refuse("schedule", message)
    scheduled = pool.model_copy(update={"schedule": tuple(entries)})
    if findings.problems:
        return None
    try:
        timetable(scheduled, scenario.start, scenario.horizon or CHECKED_S)
    except RuleError as error:
        key = ".".join(map(str, ("schedule", *error.key)))
        findings.refuse(key, str(error))
        return None
    return scheduled


def _allowed(entry: ScheduleEntry, key: str, case: Case) -> ScheduleEntry:
    """Return an entry with its maximum cut to what the platform gives."""
    for bound, setting in case.bound_settings().items():
        value = getattr(entry, bound)
        if value is not None:
            _check(value, setting, f"{key}.{bound}", case)
    cap = replica_cap(case)
    if cap is None:
        return entry
    most, why = cap
    low, high = entry.min_replicas, entry.max_replicas
    if low is not None and low > most:
        message = f"min_replicas ({low}) must not exceed {most}: {why}"
        case.findings.refuse(f"{key}.min_replicas", message)
    if high is None or high <= most:
        return entry
    case.findings.warnings.append(f"{key}.max_replicas {high} is cut to {most}: {why}")
    return entry.model_copy(update={"max_replicas": most})


def _check(value: int, setting: str, key: str, case: Case) -> None:
    """Refuse a bound that the platform's own setting would not take."""
    try:
        case.platform.autoscaler.settings[setting].read(value)
    except ValueError as error:
        case.findings.refuse(key, f"as {setting} of {case.platform.title}: {error}")
