"""What a platform file lets a deployment choose, pay and be refused."""

from __future__ import annotations

from typing import Any

import pytest

from costsim.catalog.platform import Catalog, load_catalog
from costsim.errors import ScenarioError
from costsim.scenario.autoscalers import RequestCount
from costsim.scenario.deployment import ResolvedDeployment, resolve
from costsim.scenario.schema import Scenario
from costsim.study.pools import check_pools

CATALOG = load_catalog()

MODAL = {"name": "m", "platform": "modal", "gpu": "L4"}
BASETEN = {"name": "b", "platform": "baseten", "instance": "L4:4x16"}
CUSTOM = {
    "name": "c",
    "pool": {"autoscaler": {"kind": "fixed"}, "min_replicas": 2, "max_replicas": 2},
    "billing": {"price": "1.20 USD/h", "increment": "1h"},
}


def scenario(deployment: dict[str, Any], **keys: Any) -> Scenario:
    """Return a scenario of one deployment."""
    document: dict[str, Any] = {
        "name": "test",
        "horizon": "1d",
        "traffic": {"streams": [{"name": "users", "rate": "48/h"}]},
        "service": {"time": "900ms"},
        "setup": "25s",
        "deployments": [deployment],
    }
    return Scenario.model_validate(document | keys)


def resolved(deployment: dict[str, Any], **keys: Any) -> ResolvedDeployment:
    """Return a deployment in costsim's words; keywords are keys of the scenario."""
    (found,) = resolve(scenario(deployment, **keys), CATALOG).deployments
    return found


def one(deployment: dict[str, Any], **changes: Any) -> ResolvedDeployment:
    """Return a deployment with changes to it in costsim's words."""
    return resolved(deployment | changes)


RUNPOD = {"name": "one", "platform": "runpod", "gpu": "L4"}


def refusal(deployment: dict[str, Any], **keys: Any) -> str:
    """Return the only problem of a deployment, with its key in front."""
    with pytest.raises(ScenarioError) as raised:
        resolve(scenario(deployment, **keys), CATALOG)
    (found,) = raised.value.problems
    return f"{found.key}: {found.message}"


def test_a_tier_with_prices_of_its_own_takes_them() -> None:
    pods = {"name": "one", "platform": "runpod-pods", "gpu": "L4"}

    assert one(pods).tariff.usd_per_hour == pytest.approx(0.49)
    assert one(pods, tier="community").tariff.usd_per_hour == pytest.approx(0.44)


def test_a_tier_multiplies_every_part() -> None:
    cerebrium = {
        "name": "one",
        "platform": "cerebrium",
        "gpu": "L4",
        "resources": {"cpu": 2, "memory": "16 GiB"},
    }
    ordinary, protected = one(cerebrium), one(cerebrium, tier="protected")

    assert protected.tariff.usd_per_hour == pytest.approx(
        2 * ordinary.tariff.usd_per_hour
    )


def test_an_unknown_tier_is_refused_with_those_there_are() -> None:
    pods = {"name": "one", "platform": "runpod-pods", "gpu": "L4", "tier": "spot"}

    assert refusal(pods).startswith("deployments.0.tier: unknown tier of RunPod Pods")
    assert refusal(MODAL | {"tier": "spot"}) == (
        "deployments.0.tier: Modal has no tiers; leave it out"
    )


def test_an_own_price_is_that_of_one_gpu_and_cpu_and_memory_stay() -> None:
    modal = one(MODAL, price="0.5 USD/h", gpu_count=2)
    gpu, *others = modal.tariff.components

    assert gpu.usd_per_hour == pytest.approx(1.0)
    assert others == list(one(MODAL, gpu_count=2).tariff.components[1:])
    assert modal.sources[0].source == "the scenario"


def test_a_discount_is_off_every_part() -> None:
    listed, agreed = one(MODAL), one(MODAL, discount=0.25)

    assert agreed.tariff.usd_per_hour == pytest.approx(
        0.75 * listed.tariff.usd_per_hour
    )


def test_a_platform_without_prices_asks_for_yours_and_takes_it() -> None:
    knative = {"name": "one", "platform": "knative", "gpu": "L4"}

    assert "has no price list in the catalog; give yours" in refusal(knative)
    assert one(knative, price="0.8 USD/h").tariff.usd_per_hour == pytest.approx(0.8)


def test_a_gpu_whose_price_is_not_published_asks_for_yours_and_takes_it() -> None:
    koyeb = {"name": "one", "platform": "koyeb", "gpu": "L4"}

    assert refusal(koyeb) == (
        "deployments.0.price: the price of gpu-nvidia-l4 is not published; give yours, such as "
        "'price: 2.49 USD/h', or a file of prices (--prices)"
    )
    assert one(koyeb, price="0.7 USD/h").tariff.usd_per_hour == pytest.approx(0.7)


def test_a_model_that_does_not_fit_is_refused_with_the_arithmetic() -> None:
    model = {"parameters": "8B", "cache": "4 GiB"}

    assert refusal(MODAL | {"gpu": "T4"}, model=model) == (
        "deployments.0.gpu: the model needs 14.9 GiB of weights (8B x 2 bytes) + 4 GiB of "
        "cache = 18.9 GiB, but 1 T4 has 16 GiB x 0.9 usable = 14.4 GiB; 2 T4 would do, or "
        "a GPU with at least 21.1 GiB"
    )
    assert resolved(MODAL | {"gpu": "T4", "gpu_count": 2}, model=model).gpu == "2x T4"


def test_a_model_of_the_deployment_goes_before_the_scenarios() -> None:
    large = {"weights": "100 GiB"}

    assert refusal(MODAL | {"model": large}).startswith(
        "deployments.0.model: the model "
    )
    assert resolved(MODAL | {"model": {"weights": "5 GiB"}}, model=large).gpu == "L4"


def test_the_model_is_checked_where_the_pool_is_written_out_too() -> None:
    custom = CUSTOM | {"gpu": "L4", "model": {"weights": "100 GiB"}}

    assert "1 L4 has 24 GiB" in refusal(custom)


def test_a_disk_is_charged_by_its_name_and_an_unknown_one_refused() -> None:
    charged = one(RUNPOD, storage={"container_disk": "50 GiB"}).tariff

    (disk,) = charged.storage
    assert (disk.name, disk.gib, disk.usd_per_gib_month) == (
        "container_disk",
        50.0,
        0.1,
    )
    assert (disk.basis, charged.rules.disk_increment_s) == ("alive", 300.0)
    assert refusal(RUNPOD | {"storage": {"disk": "50 GiB"}}).startswith(
        "deployments.0.storage.disk: unknown storage of RunPod Serverless 'disk'"
    )


def test_a_setting_that_only_a_disk_uses_has_an_effect() -> None:
    pods = {
        "name": "one",
        "platform": "runpod-pods",
        "gpu": "L4",
        "settings": {"stopped_pods": 3},
    }
    with_disk = one(pods, storage={"stopped_volume_disk": "10 GiB"})

    assert with_disk.tariff.storage[0].copies == 3
    assert [text for text in with_disk.warnings if "stopped_pods" in text] == []
    assert "settings.stopped_pods has no effect here" in one(pods).warnings[0]


def test_builds_are_charged_where_their_price_is_known_and_said_where_not() -> None:
    builds = {"per_month": 30, "time": "10m"}
    cerebrium = one(
        {"name": "one", "platform": "cerebrium", "gpu": "L4"}, builds=builds
    )
    modal = one(MODAL, builds=builds)

    assert cerebrium.tariff.build_hours_per_month == 5.0
    assert cerebrium.tariff.usd_per_build_hour == pytest.approx(
        cerebrium.tariff.usd_per_hour
    )
    assert (
        "builds are not in the bill: what they cost is not published" in modal.warnings
    )


def test_data_that_the_platform_has_no_price_for_is_refused() -> None:
    assert refusal(MODAL | {"data_per_request": "1 MiB"}).startswith(
        "deployments.0.data_per_request: Modal has no price of data in the catalog"
    )


def test_a_choice_leads_to_one_autoscaler_or_the_other() -> None:
    by_delay = one(RUNPOD)
    by_count = one(RUNPOD, settings={"scaler_type": "REQUEST_COUNT", "scaler_value": 1})

    assert by_delay.pool.autoscaler.kind == "queue_delay"
    assert by_count.pool.autoscaler == RequestCount(
        kind="request_count", requests_per_replica=1.0
    )


def test_a_platform_file_whose_bound_is_no_number_is_refused_by_the_pool() -> None:
    modal = CATALOG.platforms["modal"]
    pool = modal.autoscaler.pool | {"max_replicas": "many"}
    autoscaler = modal.autoscaler.model_copy(update={"pool": pool})
    catalog = Catalog({"modal": modal.model_copy(update={"autoscaler": autoscaler})})

    with pytest.raises(ScenarioError, match=r"max_replicas: .*integer"):
        resolve(scenario(MODAL), catalog)


def test_a_setting_that_is_left_out_can_take_another_ones_value() -> None:
    baseten = one(BASETEN, settings={"max_replica": 2, "concurrency_target": 8})

    assert baseten.pool.concurrency_limit == 8
    assert (
        "predict_concurrency is not given: taken as 8, the concurrency_target"
        in baseten.warnings
    )


def test_what_the_engine_does_not_take_is_a_problem_of_the_settings() -> None:
    fal = {
        "name": "one",
        "platform": "fal",
        "gpu": "H100",
        "settings": {"keep_alive": "0s", "concurrency_buffer": 1},
    }
    asked = scenario(fal)

    with pytest.raises(ScenarioError, match=r"deployments\.0\.settings: idle_timeout"):
        check_pools(asked, resolve(asked, CATALOG))


def test_machines_do_not_outlast_replicas_where_only_requests_are_billed() -> None:
    functions = {"name": "one", "platform": "aws-lambda", "release_lag": "30s"}
    custom = CUSTOM | {
        "billing": {"price": "1 USD/h", "scope": "request", "release_lag": "30s"}
    }

    assert refusal(functions).startswith("deployments.0.release_lag: has no meaning")
    assert refusal(custom).startswith("deployments.0.billing.release_lag: has no ")
