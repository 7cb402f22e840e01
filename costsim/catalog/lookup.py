"""What to say about a name that is not there."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from costsim.yaml_source import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 14
"""Names that a message lists; of more than that only the nearest."""
_FEW = 3
"""Names that are suggested where there are too many to list."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name nearest to a word, or nothing."""
    near = _nearest(word, known, most=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


def nearest_few(word: object, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x', 'y' or 'z'?)`` for the nearest names, or nothing."""
    near = [f"'{name}'" for name in _nearest(word, known, most=_FEW, cutoff=0.6)]
    if not near:
        return ""
    *some, last = near
    return f" (did you mean {', '.join(some)}{' or ' if some else ''}{last}?)"


def unknown(kind: str, word: object, known: Iterable[str]) -> str:
    """Return a message about an unknown name: the word, a suggestion, what is allowed."""
    names = list(known)
    allowed = ", ".join(names) if names else "none"
    if len(names) > _MOST:
        near = _nearest(word, names, most=_MOST, cutoff=0.0)
        allowed = f"{', '.join(near)} and {len(names) - len(near)} more"
    return (
        f"unknown {kind} {shown(word)}{did_you_mean(word, names)}; allowed: {allowed}"
    )


def _nearest(word: object, known: Iterable[str], most: int, cutoff: float) -> list[str]:
    """Return the names most like a word, the nearest first; letter case is ignored."""
    by_folded = {name.casefold(): name for name in known}
    folded = str(word).casefold()[:200]
    # What was typed is often only a beginning: g6 for g6.xlarge.
    begun = [name for name in by_folded if folded and name.startswith(folded)]
    alike = difflib.get_close_matches(folded, by_folded, n=most, cutoff=cutoff)
    return [by_folded[name] for name in dict.fromkeys([*begun, *alike])][:most]
