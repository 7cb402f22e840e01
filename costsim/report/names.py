"""Names of deployments that stay apart however they are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def told_apart(names: Iterable[str], cut: Callable[[str], str]) -> dict[str, str]:
    """Return each name as it is shown; where two are cut to the same, numbered.

    Parameters
    ----------
    names : iterable of str
        All names that are shown together, none twice.
    cut : callable
        Returns a name on one line, cut to the room that there is.
    """
    labels = {name: cut(name) for name in names}
    shown = list(labels.values())
    return {
        name: label if shown.count(label) == 1 else f"{place} {label}"
        for place, (name, label) in enumerate(labels.items(), start=1)
    }
