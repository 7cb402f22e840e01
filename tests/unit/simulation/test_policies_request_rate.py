"""A rate of requests by moments: requests per second, replicas, the count that it wants.

Tables named after a test in github.com/dstackai/dstack, src/tests/_internal/server/
services/services/test_autoscalers.py, have its numbers.
"""

import pytest
from compiled_policies import RequestRate, checked

HOUR_S = 3600.0

# RPSAutoscaler(0, 5, 10, 5 * 60, 10 * 60), 60 s: rate, replicas, last scaled, wanted
TABLE = {
    "test_do_not_scale": (10, 1, -HOUR_S, 1),
    "test_scale_up": (20, 1, -HOUR_S, 2),
    "test_scale_up_high_load": (50, 2, -HOUR_S, 5),
    "test_scale_up_replicas_limit": (1000, 2, -HOUR_S, 5),
    "test_scale_down": (5, 2, -HOUR_S, 1),
    "test_scale_up_delayed_running": (20, 1, -60, 1),
    "test_scale_up_delayed_terminated": (20, 1, -60, 1),
    "test_scale_down_delayed": (5, 2, -300, 2),
    "test_scale_from_zero_immediately": (5, 0, None, 1),
    "test_scale_from_zero_immediately_terminated": (5, 0, -60, 1),
    "test_scale_to_zero": (0, 2, -HOUR_S, 0),
    "up at the end of the delay": (20, 1, -300, 2),
    "down at the end of the delay": (5, 2, -600, 1),
    "never scaled": (50, 1, None, 5),
    "outside its bounds": (0, 9, -1, 0),
}


@pytest.mark.parametrize(
    ("rate", "alive", "last_scaled_s", "expected"), TABLE.values(), ids=TABLE
)
def test_one_decision(rate, alive, last_scaled_s, expected):
    policy = RequestRate()
    if last_scaled_s is not None:
        policy.memory["last_scaled_s"] = HOUR_S + last_scaled_s

    assert policy.desired(HOUR_S, rate, alive) == expected


def test_the_delay_counts_from_the_last_change_either_way():
    policy = RequestRate(up_delay_s=30, down_delay_s=60)

    moments = ((10, 20, 1), (30, 50, 2), (40, 50, 2), (90, 0, 5), (100, 0, 5))

    assert [policy.desired(*moment) for moment in moments] == [2, 2, 5, 5, 0]


def test_work_keeps_one_alive():
    assert RequestRate().desired(HOUR_S, 0, 3, in_system=1) == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"target": None}, "autoscaler target must be given"),
        (
            {"scaling_window_s": 5},
            "scaling_window_s must be at least scaling_interval_s",
        ),
        ({"up_delay_s": -1}, "up_delay_s must be finite and >= 0"),
        ({"scale_down_delay_s": 1}, "got 'scale_down_delay_s'"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_its_name(parameters, message):
    with pytest.raises(ValueError, match=message):
        checked({"kind": "request_rate", "target": 1, **parameters})
