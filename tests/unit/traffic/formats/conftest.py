"""Fixtures of the tests of all readers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from costsim.scenario.trace import Trace
from costsim.traffic.formats.detect import read_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.traffic.trace import TraceData

    Read = Callable[..., TraceData]


@pytest.fixture
def read(tmp_path) -> Read:
    """Return what reads a text, or a value as JSON, as a trace; keys are the user's."""

    def read_text(content: Any, name: str = "log.txt", **keys: Any) -> TraceData:
        path = tmp_path / name
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
        return read_trace(Trace(path=str(path), **keys))

    return read_text
