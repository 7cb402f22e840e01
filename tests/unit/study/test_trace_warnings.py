"""What a run says of the trace that it replays."""

from dataclasses import replace

import numpy as np
import pytest
from small_study import always_on, answer, own

from costsim.study import run as study_run
from costsim.traffic.trace import TraceData

MINUTES = TraceData(
    60.0 * np.arange(120), count=np.full(120, 20), width_s=np.full(120, 60.0)
)
HIDDEN = (
    "own: bins of 60s hide the gaps that an idle timeout of 1m59s reacts to: cost and "
    "cold starts may be far off"
)


@pytest.fixture
def warned(monkeypatch):
    """Return the warnings of a run on a trace."""

    def run(trace, *deployments, **keys):
        monkeypatch.setattr(study_run, "load_trace", lambda _: trace)
        traffic = {"trace": {"path": "x.csv", **keys}}
        return answer(*deployments, traffic=traffic).warnings

    return run


def test_what_the_trace_warns_of_is_told(warned):
    trace = replace(MINUTES, warnings=("these are results of a load test",))

    assert "these are results of a load test" in warned(trace, always_on())


def test_bins_wider_than_half_the_idle_timeout_are_told(warned):
    assert HIDDEN in warned(MINUTES, own(idle_timeout="119s"))


@pytest.mark.parametrize(
    "deployment",
    [
        own(idle_timeout="120s"),
        own(idle_timeout="never"),
        always_on(),
        # Removes replicas by a window of its own.
        own(autoscaler={"kind": "knative"}),
    ],
    ids=["narrow", "never", "fixed", "window"],
)
def test_bins_that_hide_no_gap_are_not_told(warned, deployment):
    assert not any("hide" in text for text in warned(MINUTES, deployment))


def test_stretched_bins_are_wider(warned):
    found = warned(MINUTES, own(idle_timeout="120s"), scale_time=1.5)

    assert any("bins of 90s hide the gaps" in text for text in found)


def test_requests_with_stamps_are_no_bins(warned):
    trace = TraceData(60.0 * np.arange(120))

    assert not any("hide" in text for text in warned(trace, own(idle_timeout="1s")))
