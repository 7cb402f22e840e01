"""Setups in phases, mixtures and presets: what of them is billed, and by whose rule."""

from __future__ import annotations

import math

import pytest

from costsim.catalog.platform import load_catalog
from costsim.errors import ScenarioError
from costsim.scenario.deployment import resolve
from costsim.scenario.schema import Scenario
from costsim.scenario.setup_presets import setup_presets

CATALOG = load_catalog()
MODAL = {"name": "m", "platform": "modal", "gpu": "L4"}
BASETEN = {"name": "b", "platform": "baseten", "instance": "L4:4x16"}
OWN = {"name": "o", "pool": {}, "billing": {"price": "1 USD/h"}}
STANDARD = {
    "provision": "3s",
    "image": "10s",
    "boot": "1s",
    "load": {"distribution": "lognormal", "median": "20s", "sigma": 0.3},
    "warm_up": "5s",
}


def scenario(deployment, setup, scenario_setup=None):
    return Scenario.model_validate(
        {
            "name": "test",
            "horizon": "1d",
            "traffic": {"streams": [{"rate": "48/h"}]},
            "service": {"time": "900ms"},
            "setup": scenario_setup,
            "deployments": [{**deployment, "setup": setup}],
        }
    )


def one(deployment, setup, **keys):
    return resolve(scenario(deployment, setup, **keys), CATALOG).deployments[0]


def refusal(deployment, setup, **keys):
    """Return key and message of the one thing that is wrong."""
    with pytest.raises(ScenarioError) as raised:
        one(deployment, setup, **keys)
    (found,) = raised.value.problems
    return found.key, found.message


def billed(start):
    return {phase.name: phase.billed for phase in start.phases}


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        (MODAL, [False, False, False, True, True]),
        (BASETEN, [False, False, True, True, True]),
        (OWN, [True] * 5),
        ({**OWN, "billing": {"price": "1 USD/h", "setup": False}}, [False] * 5),
    ],
    ids=["modal", "baseten", "own", "own, free"],
)
def test_phases_are_billed_by_the_platforms_rule(deployment, expected):
    plan = one(deployment, {"phases": STANDARD}).setup_plan

    assert billed(plan.hit) == dict(zip(STANDARD, expected, strict=True))
    assert (plan.miss, plan.mixture) == (None, None)


def test_a_phase_of_your_own_is_billed_as_the_load_is():
    phases = {"boot": "1s", "compile kernels": "9s"}

    assert billed(one(MODAL, {"phases": phases}).setup_plan.hit) == {
        "boot": False,
        "compile kernels": True,
    }


def test_a_download_of_weights_is_billed_by_its_own_rule():
    phases = {"download": "9s", "load": "9s"}

    assert billed(one(BASETEN, {"phases": phases}).setup_plan.hit) == {
        "download": False,
        "load": True,
    }
    assert billed(one(MODAL, {"phases": phases}).setup_plan.hit) == {
        "download": True,
        "load": True,
    }


def test_what_is_billed_can_be_said_for_a_phase():
    setup = {"phases": STANDARD, "billed": {"image": True, "boot": True}}

    assert billed(one(MODAL, setup).setup_plan.hit) == {
        "provision": False,
        "image": True,
        "boot": True,
        "load": True,
        "warm_up": True,
    }


def test_an_unbilled_phase_after_a_billed_one_is_refused_at_its_place():
    setup = {"phases": {"boot": "1s", "image": "10s", "load": "20s"}}

    key, message = refusal(BASETEN, setup)

    assert key == "deployments.0.setup.phases.image"
    assert message == (
        "is not billed, but comes after boot, which is; unbilled phases come first: "
        "move it, or say so in 'billed'"
    )


def test_of_a_mixture_the_phase_at_fault_is_named():
    setup = {
        "hit": {"probability": 0.5, "phases": {"load": "2s"}},
        "miss": {
            "phases": {"load": "2s", "warm_up": "1s"},
            "billed": {"warm_up": False},
        },
    }

    assert refusal(MODAL, setup)[0] == "deployments.0.setup.miss.phases.warm_up"


def test_a_fault_of_the_scenarios_setup_is_named_there():
    setup = {"phases": {"boot": "1s", "image": "10s"}}

    key, _ = refusal(BASETEN, None, scenario_setup=setup)

    assert key == "setup.phases.image"


def test_phases_decide_and_the_platforms_first_part_does_not():
    rules = one(MODAL, {"phases": STANDARD}).tariff.rules

    assert (rules.setup_billed, rules.unbilled_setup_s) == (True, 0.0)


def test_a_setup_that_is_one_law_is_metered_by_the_platforms_rules():
    resolved = one(MODAL, "25s")

    assert resolved.tariff.rules.unbilled_setup_s == 1.0
    assert resolved.setup_plan.law.value == 25.0
    assert resolved.setup_plan.hit.unbilled_s == 1.0


def test_a_setup_in_phases_is_not_one_law():
    assert one(MODAL, {"phases": STANDARD}).setup_plan.law is None


def test_an_unbilled_first_part_beside_phases_is_refused():
    key, message = refusal({**MODAL, "unbilled_setup": "4s"}, {"phases": STANDARD})

    assert key == "deployments.0.unbilled_setup"
    assert message.startswith("goes with a setup that is one time")


def test_a_mixture_of_two_times_has_the_first_part_of_each_unbilled():
    setup = {"hit": {"probability": 0.7, "half_life": "2h", "time": "6s"},
             "miss": {"time": "90s"}}  # fmt: skip

    plan = one({**MODAL, "unbilled_setup": "4s"}, setup).setup_plan

    assert plan.mixture == {"probability": 0.7, "half_life_s": 7200.0}
    assert (plan.hit.unbilled_s, plan.miss.unbilled_s) == (4.0, 4.0)
    assert [plan.hit.phases[0].law.value, plan.miss.phases[0].law.value] == [6.0, 90.0]


def test_without_a_half_life_a_hit_is_as_likely_at_any_time():
    setup = {"hit": {"probability": 0.7, "time": "6s"}, "miss": {"time": "90s"}}

    assert one(MODAL, setup).setup_plan.mixture["half_life_s"] == math.inf


def test_a_preset_is_what_its_file_says_with_its_source():
    resolved = one(MODAL, {"preset": "llm-7b-gpu-snapshot"})

    assert resolved.setup_plan.law.median == 8.66
    (note,) = [one for one in resolved.notes if one.startswith("setup llm-7b")]
    assert "https://modal.com/blog/gpu-mem-snapshots, 2025-07-30" in note


def test_an_unknown_preset_is_refused_with_the_nearest():
    key, message = refusal(MODAL, {"preset": "llm-7b-snapshot"})

    assert key == "deployments.0.setup.preset"
    assert "(did you mean 'llm-7b-gpu-snapshot'?)" in message


@pytest.mark.parametrize("name", setup_presets())
def test_every_preset_can_be_used_and_has_a_source(name):
    preset = setup_presets()[name]

    assert one(MODAL, {"preset": name}).setup_plan is not None
    assert preset.source.startswith("https://")
    assert preset.as_of[:2] == "20"


@pytest.mark.parametrize(
    ("name", "low_s", "high_s"),
    [
        ("llm-7b", 25, 60),
        ("llm-7b-gpu-snapshot", 5, 15),
        ("llm-30b", 120, 460),
        ("llm-30b-gpu-snapshot", 12, 70),
    ],
)
def test_a_preset_of_a_range_has_nine_tenths_of_its_starts_in_it(name, low_s, high_s):
    law = setup_presets()[name].setup

    spread = math.exp(1.6448536269514722 * law.sigma)
    assert law.median / spread == pytest.approx(low_s, rel=0.01)
    assert law.median * spread == pytest.approx(high_s, rel=0.01)


def test_the_preset_of_flashboot_has_the_measured_share_of_hits():
    plan = one(MODAL, {"preset": "flashboot-17gb"}).setup_plan

    assert plan.hit_probability == pytest.approx(25 / 36, abs=0.001)
    assert plan.hit.phases[0].law.value == 6.0
    law = plan.miss.phases[0].law
    spread = math.exp(1.6448536269514722 * law.sigma)
    assert law.median / spread == pytest.approx(89, rel=0.01)
    assert law.median * spread == pytest.approx(122, rel=0.01)
