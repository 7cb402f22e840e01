"""Settings as the vendor's own configuration: what is pasted means what was simulated."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from costsim.catalog.platform import load_catalog
from costsim.scenario.configuration import configuration_text
from costsim.scenario.layout import laid_out
from costsim.scenario.pool import Pool
from costsim.scenario.schema import Deployment

if TYPE_CHECKING:
    from costsim.catalog.scaling import Setting

CATALOG = load_catalog()
WITH_TEXT = [
    name for name in CATALOG.names if CATALOG.platform(name).configuration is not None
]
WITHOUT = [name for name in CATALOG.names if name not in WITH_TEXT]


def text_of(platform: str, settings: dict[str, Any] | None = None, **rest: Any) -> str:
    deployment = Deployment.model_validate(
        {"name": "it", "platform": platform, "settings": settings or {}, **rest}
    )
    return configuration_text(deployment, CATALOG.platform(platform))


# ---- reading a text back


def read_back(platform: str, text: str) -> dict[str, Any]:
    """Return the values in a text by the vendor's key for each."""
    configuration = CATALOG.platform(platform).configuration
    assert configuration is not None
    return _READERS[configuration.language](text)


def _python(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse(text)):
        pairs: list[tuple[Any, ast.expr]] = []
        if isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Assign):
            pairs = [(ast.unparse(node.targets[0]), node.value)]
        elif isinstance(node, ast.Dict):
            pairs = [
                (getattr(key, "value", None), value)
                for key, value in zip(node.keys, node.values, strict=True)
            ]
        found |= {k: v.value for k, v in pairs if isinstance(v, ast.Constant)}
    return found


def _json(text: str) -> dict[str, Any]:
    body = [line for line in text.splitlines() if not line.startswith("//")]
    return _leaves(json.loads("\n".join(body)))


def _leaves(node: Any, key: str = "") -> dict[str, Any]:
    """Return the innermost values by their last key, policies by their type."""
    if isinstance(node, list):
        parts = [_leaves(item, key) for item in node]
        return {k: v for part in parts for k, v in part.items()}
    if not isinstance(node, dict):
        return {key.rpartition("/")[2]: node}
    inside = {}
    for name, value in node.items():
        outer = key if key.startswith(("scaleUp", "scaleDown")) else name
        nested = f"{outer}.{name}" if outer != name else name
        inside |= _leaves(value, nested)
    return inside


def _sh(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    words = shlex.split(text.replace("\\\n", " "), comments=True)
    for word, following in pairwise([*words, ""]):
        if word.startswith("--"):
            key, equals, value = word.partition("=")
            found[key] = value if equals else following
    return found


_READERS = {
    "python": _python,
    "json": _json,
    "yaml": lambda text: _leaves(yaml.safe_load(text)),
    "toml": lambda text: _leaves(tomllib.loads(text)),
    "sh": _sh,
}


# ---- every platform


def test_every_platform_with_words_of_its_own_has_a_text_and_no_other() -> None:
    with_words = [
        name
        for name in CATALOG.names
        if any(
            one.origin == "vendor"
            for one in CATALOG.platform(name).autoscaler.settings.values()
        )
    ]

    assert with_words == WITH_TEXT


def some_value(setting: Setting) -> Any:
    """Return a value that is allowed and is not the default."""
    if setting.kind == "choice":
        return setting.choices[-1]
    if setting.kind == "flag":
        return not setting.default
    if setting.kind == "duration":
        return setting.maximum if setting.maximum not in (None, "0s") else "400s"
    if setting.kind == "percent":
        return 47
    return setting.maximum if setting.maximum is not None else 3


def every_setting(name: str) -> dict[str, Any]:
    known = CATALOG.platform(name).autoscaler.settings
    return {word: some_value(setting) for word, setting in known.items()}


@pytest.mark.parametrize("name", WITH_TEXT)
def test_the_defaults_are_a_text_of_the_language_that_fits_a_terminal(
    name: str,
) -> None:
    text = text_of(name)

    read_back(name, text)
    assert max(map(len, text.splitlines())) <= 80
    assert text.endswith("\n")
    assert "$" not in text


@pytest.mark.parametrize("name", WITH_TEXT)
def test_every_setting_given_is_in_the_text_or_named_in_a_comment(name: str) -> None:
    given = every_setting(name)

    text = text_of(name, given)

    configuration = CATALOG.platform(name).configuration
    assert configuration is not None
    read_back(name, text)
    known = CATALOG.platform(name).autoscaler.settings
    vendors = [word for word in given if known[word].origin == "vendor"]
    chosen = configuration.text(given.get(configuration.choice or ""))
    untold = [
        word
        for word in vendors
        if not re.search(rf"\$\{{?{word}\b", chosen)
        and word != configuration.choice
        and not re.search(rf"(#|//).*\b{word}\b", text.replace("\n#  ", " ").replace("\n//  ", " "))
    ]  # fmt: skip
    assert vendors
    assert untold == []


@pytest.mark.parametrize("name", WITHOUT)
def test_a_platform_without_words_of_its_own_has_no_text(name: str) -> None:
    assert text_of(name) == ""


# ---- values come back

BEHAVIOR = {
    "scaleUp_stabilizationWindowSeconds": "30s",
    "scaleUp_percent": 50,
    "scaleUp_percent_periodSeconds": "1m",
    "scaleDown_pods": 2,
    "scaleDown_selectPolicy": "Min",
}
READ_BACK: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        "modal",
        {
            "min_containers": 1,
            "max_containers": 7,
            "buffer_containers": 2,
            "scaledown_window": "2m30s",
            "timeout": "1h",
            "startup_timeout": "10m",
            "single_use_containers": True,
            "retries": 3,
            "max_inputs": 8,
            "target_inputs": 6,
        },
        {"gpu": "H100", "gpu_count": 2},
        {
            "gpu": "H100:2",
            "min_containers": 1,
            "max_containers": 7,
            "buffer_containers": 2,
            "scaledown_window": 150,
            "timeout": 3600,
            "startup_timeout": 600,
            "single_use_containers": True,
            "retries": 3,
            "max_inputs": 8,
            "target_inputs": 6,
        },
    ),
    (
        "baseten",
        {
            "min_replica": 2,
            "max_replica": 9,
            "autoscaling_window": "2m",
            "scale_down_delay": "5m",
            "max_scale_down_rate": 25,
            "concurrency_target": 4,
            "target_utilization_percentage": 55,
            "target_in_flight_tokens": 40000,
        },
        {},
        {
            "min_replica": 2,
            "max_replica": 9,
            "autoscaling_window": 120,
            "scale_down_delay": 300,
            "max_scale_down_rate": 25,
            "concurrency_target": 4,
            "target_utilization_percentage": 55,
            "target_in_flight_tokens": 40000,
        },
    ),
    (
        "runpod",
        {
            "workers_min": 1,
            "workers_max": 6,
            "idle_timeout": "1m",
            "scaler_type": "REQUEST_COUNT",
            "scaler_value": 2,
            "execution_timeout": "90s",
        },
        {"gpu": "4090", "gpu_count": 2},
        {
            "gpuTypeIds": "NVIDIA GeForce RTX 4090",
            "gpuCount": 2,
            "workersMin": 1,
            "workersMax": 6,
            "idleTimeout": 60,
            "scalerType": "REQUEST_COUNT",
            "scalerValue": 2,
            "executionTimeoutMs": 90_000,
        },
    ),
    (
        "replicate",
        {"min_instances": 1, "max_instances": 4},
        {},
        {"min_instances": 1, "max_instances": 4},
    ),
    (
        "cerebrium",
        {
            "min_replicas": 1,
            "max_replicas": 5,
            "cooldown": "1m",
            "replica_concurrency": 4,
            "scaling_target": 80,
            "scaling_buffer": 1,
            "evaluation_interval": "12s",
            "response_grace_period": "20m",
            "roll_out_duration": "30s",
        },
        {"gpu": "A100", "gpu_count": 4},
        {
            "compute": "AMPERE_A100_80GB",
            "gpu_count": 4,
            "min_replicas": 1,
            "max_replicas": 5,
            "cooldown": 60,
            "replica_concurrency": 4,
            "scaling_metric": "concurrency_utilization",
            "scaling_target": 80,
            "scaling_buffer": 1,
            "evaluation_interval_seconds": 12,
            "response_grace_period": 1200,
            "roll_out_duration_seconds": 30,
        },
    ),
    (
        "knative",
        {
            "containerConcurrency": 4,
            "target": 3.5,
            "target_utilization_percentage": 80,
            "window": "30s",
            "scale_down_delay": "2m",
            "scale_to_zero_pod_retention_period": "1m",
            "min_scale": 1,
            "max_scale": 6,
            "initial_scale": 2,
            "activation_scale": 3,
        },
        {},
        {
            "containerConcurrency": 4,
            "target": "3.5",
            "target-utilization-percentage": "80",
            "window": "30s",
            "scale-down-delay": "120s",
            "scale-to-zero-pod-retention-period": "60s",
            "min-scale": "1",
            "max-scale": "6",
            "initial-scale": "2",
            "activation-scale": "3",
        },
    ),
    (
        "hpa",
        {"minReplicas": 2, "maxReplicas": 8, "averageUtilization": 65, **BEHAVIOR},
        {},
        {
            "minReplicas": 2,
            "maxReplicas": 8,
            "averageUtilization": 65,
            "scaleUp.stabilizationWindowSeconds": 30,
            "scaleUp.policies.type": "Percent",
            "scaleUp.policies.value": 50,
            "scaleUp.policies.periodSeconds": 60,
            "scaleDown.stabilizationWindowSeconds": 300,
            "scaleDown.selectPolicy": "Min",
            "scaleDown.policies.type": "Pods",
            "scaleDown.policies.value": 2,
            "scaleDown.policies.periodSeconds": 15,
        },
    ),
    (
        "hpa",
        {"target_type": "AverageValue", "averageValue": 2.5},
        {},
        {"averageValue": "2.5", "type": "AverageValue"},
    ),
    (
        "keda",
        {
            "minReplicaCount": 1,
            "maxReplicaCount": 8,
            "pollingInterval": "5s",
            "cooldownPeriod": "2m",
            "initialCooldownPeriod": "1m",
            "threshold": 2,
            "activationThreshold": 1,
            **BEHAVIOR,
        },
        {},
        {
            "minReplicaCount": 1,
            "maxReplicaCount": 8,
            "pollingInterval": 5,
            "cooldownPeriod": 120,
            "initialCooldownPeriod": 60,
            "threshold": "2",
            "activationThreshold": "1",
            "scaleUp.policies.value": 50,
            "scaleDown.policies.value": 2,
        },
    ),
    (
        "keda",
        {
            "trigger": "http_add_on",
            "targetValue": 7,
            "scaledownPeriod": "90s",
            "maxReplicaCount": 3,
        },
        {},
        {"targetValue": 7, "scaledownPeriod": 90, "min": 0, "max": 3},
    ),
    (
        "huggingface",
        {"min_replicas": 1, "max_replicas": 4, "scale_to_zero_after": "30m"},
        {},
        {"min_replica": 1, "max_replica": 4, "scale_to_zero_timeout": 30},
    ),
    (
        "beam",
        {
            "min_containers": 1,
            "max_containers": 5,
            "tasks_per_container": 3,
            "keep_warm_seconds": "4m",
        },
        {"gpu": "4090"},
        {
            "gpu": "RTX4090",
            "gpu_count": 1,
            "min_containers": 1,
            "max_containers": 5,
            "tasks_per_container": 3,
            "keep_warm_seconds": 240,
        },
    ),
    (
        "fal",
        {
            "min_concurrency": 1,
            "max_concurrency": 5,
            "keep_alive": "5m",
            "max_multiplexing": 4,
            "concurrency_buffer": 2,
            "concurrency_buffer_perc": 10,
            "scaling_delay": "3s",
            "startup_timeout": "10m",
        },
        {"gpu": "H100"},
        {
            "machine_type": "GPU-H100",
            "num_gpus": 1,
            "min_concurrency": 1,
            "max_concurrency": 5,
            "keep_alive": 300,
            "max_multiplexing": 4,
            "concurrency_buffer": 2,
            "concurrency_buffer_perc": 10,
            "scaling_delay": 3,
            "startup_timeout": 600,
        },
    ),
    (
        "koyeb",
        {"min_instances": 0, "max_instances": 3, "idle_period": "10m"},
        {"instance": "gpu-nvidia-l4", "price": "1 USD/h"},
        {
            "--instance-type": "gpu-nvidia-l4",
            "--min-scale": "0",
            "--max-scale": "3",
            "--deep-sleep-delay": "600s",
        },
    ),
    (
        "fireworks",
        {
            "min_replica_count": 1,
            "max_replica_count": 3,
            "scale_up_window": "1m",
            "scale_down_window": "5m",
            "scale_to_zero_window": "30m",
            "load_target": 0.7,
        },
        {},
        {
            "--min-replica-count": "1",
            "--max-replica-count": "3",
            "--scale-up-window": "60s",
            "--scale-down-window": "300s",
            "--scale-to-zero-window": "1800s",
            "--load-targets": "default=0.7",
        },
    ),
    (
        "together",
        {
            "min_replicas": 2,
            "max_replicas": 5,
            "inflight_requests": 12,
            "scale_up_window": "30s",
            "scale_down_window": "10m",
        },
        {},
        {
            "--min-replicas": "2",
            "--max-replicas": "5",
            "--scaling-target": "12",
            "--scale-up-window": "30s",
            "--scale-down-window": "600s",
        },
    ),
    (
        "vast",
        {
            "max_workers": 9,
            "min_load": 2.5,
            "min_cold_load": 4,
            "target_util": 0.8,
            "cold_mult": 2,
            "inactivity_timeout": 600,
            "max_queue_time": 30,
            "target_queue_time": 10,
        },
        {},
        {
            "--max_workers": "9",
            "--min_load": "2.5",
            "--min_cold_load": "4",
            "--target_util": "0.8",
            "--cold_mult": "2",
            "--inactivity_timeout": "600",
            "--max_queue_time": "30",
            "--target_queue_time": "10",
        },
    ),
    (
        "cloud-run",
        {"min_instances": 1, "max_instances": 7, "max_concurrency": 4},
        {"gpu": "L4"},
        {
            "--gpu": "1",
            "--gpu-type": "nvidia-l4",
            "--min-instances": "1",
            "--max-instances": "7",
            "--concurrency": "4",
        },
    ),
    (
        "vertex",
        {"min_replica_count": 2, "max_replica_count": 5, "target_utilization": 75},
        {},
        {
            "--min-replica-count": "2",
            "--max-replica-count": "5",
            "--autoscaling-metric-specs": "gpu-duty-cycle=75",
        },
    ),
    (
        "sagemaker",
        {
            "min_capacity": 1,
            "max_capacity": 4,
            "target_value": 2.5,
            "scale_in_cooldown": "10m",
            "scale_out_cooldown": "1m",
        },
        {},
        {
            "MinCapacity": 1,
            "MaxCapacity": 4,
            "TargetValue": 2.5,
            "ScaleInCooldown": 600,
            "ScaleOutCooldown": 60,
            "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
        },
    ),
    (
        "sagemaker",
        {"invocations_per_instance": 70},
        {},
        {
            "TargetValue": 70,
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
        },
    ),
    (
        "sagemaker-async",
        {"max_capacity": 2, "target_value": 5},
        {},
        {"MinCapacity": 0, "MaxCapacity": 2, "TargetValue": 5},
    ),
    (
        "aws-lambda",
        {"provisioned_concurrency": 3, "reserved_concurrency": 50},
        {},
        {
            "--provisioned-concurrent-executions": "3",
            "--reserved-concurrent-executions": "50",
        },
    ),
    (
        "azure-container-apps",
        {
            "min_replicas": 1,
            "max_replicas": 4,
            "concurrent_requests": 5,
            "polling_interval": "10s",
            "cooldown": "2m",
        },
        {},
        {
            "minReplicas": 1,
            "maxReplicas": 4,
            "concurrentRequests": "5",
            "pollingInterval": 10,
            "cooldownPeriod": 120,
        },
    ),
    (
        "azure-ml",
        {"instances": 3},
        {"instance": "NC24ads_A100_v4"},
        {"instance_type": "Standard_NC24ads_A100_v4", "instance_count": 3},
    ),
]


@pytest.mark.parametrize(("name", "settings", "rest", "expected"), READ_BACK)
def test_the_values_read_back_are_the_settings(
    name: str, settings: dict[str, Any], rest: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = read_back(name, text_of(name, settings, **rest))

    assert {key: found.get(key) for key in expected} == expected


def test_every_platform_with_a_text_is_read_back() -> None:
    assert {name for name, *_ in READ_BACK} == set(WITH_TEXT)


# ---- exact texts

SCHEDULE = [
    {
        "when": "Mon-Fri 08:00-18:00 Europe/Paris",
        "min_replicas": 2,
        "max_replicas": 10,
        "prewarm": "15m",
    },
    {"when": "0 9 * * 1", "for": "2h", "time_zone": "UTC", "min_replicas": 3},
]


def test_modal_is_a_decorator() -> None:
    text = text_of(
        "modal",
        {"max_containers": 5, "scaledown_window": "2m", "max_inputs": 4},
        gpu="L4",
        schedule=SCHEDULE,
    )

    assert (
        text
        == """\
# Not in this text: the schedule.
# - Mon-Fri 08:00-18:00 Europe/Paris: containers at least 2, at most 10, from
#   15m before
# - 0 9 * * 1 for 2h UTC: containers at least 3
# Schedules on Modal: A cron job may call update_autoscaler, which holds until
#   the next deploy; there is no schedule of its own.
@app.cls(
    gpu="L4",
    min_containers=0,
    max_containers=5,
    buffer_containers=0,
    scaledown_window=120,
    timeout=300,
    single_use_containers=False,
    retries=0,
)
@modal.concurrent(
    max_inputs=4,
)
class Model:
    ...
"""
    )


def test_baseten_is_the_body_of_a_request() -> None:
    text = text_of(
        "baseten", {"max_replica": 4, "concurrency_target": 8}, instance="L4:4x16"
    )

    assert (
        text
        == """\
// Not in this text: instance L4:4x16, predict_concurrency 8.
{
  "min_replica": 0,
  "max_replica": 4,
  "autoscaling_window": 60,
  "scale_down_delay": 900,
  "max_scale_down_rate": 50,
  "concurrency_target": 8,
  "target_utilization_percentage": 70
}
"""
    )


def test_knative_is_a_service_with_annotations() -> None:
    text = text_of(
        "knative",
        {"containerConcurrency": 2, "max_scale": 5, "max_scale_up_rate": 10},
        price="2 USD/h",
    )

    assert (
        text
        == """\
# Not in this text: max_scale_up_rate 10.
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: model
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/metric: "concurrency"
        autoscaling.knative.dev/target: "2"
        autoscaling.knative.dev/target-utilization-percentage: "70"
        autoscaling.knative.dev/window: "60s"
        autoscaling.knative.dev/panic-window-percentage: "10"
        autoscaling.knative.dev/panic-threshold-percentage: "200"
        autoscaling.knative.dev/target-burst-capacity: "211"
        autoscaling.knative.dev/scale-down-delay: "0s"
        autoscaling.knative.dev/scale-to-zero-pod-retention-period: "0s"
        autoscaling.knative.dev/min-scale: "0"
        autoscaling.knative.dev/max-scale: "5"
    spec:
      containerConcurrency: 2
      containers:
        - image: IMAGE
"""
    )


# ---- what has no place in the text


def comments(text: str) -> str:
    """Return the comments on top of a text, in one line."""
    marked = [line for line in text.splitlines() if line.startswith(("#", "//"))]
    return " ".join(" ".join(line.lstrip("#/ ") for line in marked).split())


def test_a_schedule_is_told_in_comments_that_leave_json_readable() -> None:
    text = text_of("baseten", schedule=SCHEDULE)

    assert "0 9 * * 1 for 2h UTC: replicas at least 3" in comments(text)
    assert read_back("baseten", text)["min_replica"] == 0


def test_a_duration_that_is_not_whole_is_rounded_up_and_said() -> None:
    text = text_of("huggingface", {"scale_to_zero_after": "20s"})

    assert read_back("huggingface", text)["scale_to_zero_timeout"] == 1
    assert "scale_to_zero_after 20s is rounded up to whole minutes." in comments(text)


def test_a_whole_duration_is_not_called_rounded() -> None:
    assert "rounded" not in text_of("modal", {"scaledown_window": "0.1h"})


def test_what_the_vendor_asks_for_and_nobody_gave_is_said() -> None:
    told = "Kubernetes HPA wants maxReplicas, and here it is not given."

    assert comments(text_of("hpa")) == told
    assert told not in comments(text_of("hpa", {"maxReplicas": 3}))


def test_hardware_region_and_tier_without_a_place_are_said() -> None:
    text = text_of(
        "cerebrium",
        gpu="L4",
        tier="protected",
        resources={"cpu": 2.0, "memory": "8 GiB"},
    )

    assert comments(text) == (
        "Not in this text: 2 physical cores, 8 GiB of memory, tier protected."
    )
    assert "region" not in comments(text_of("modal", region="none"))
    assert "region us" in comments(text_of("modal", region="us"))


def test_a_gpu_without_a_word_leaves_its_lines_out_and_is_said() -> None:
    text = text_of("fal", gpu="H200", gpu_count=2)

    assert "machine_type" not in text
    assert "num_gpus" not in text
    assert comments(text) == "Not in this text: gpu 2x H200."


def test_a_gpu_given_by_a_platform_of_instances_names_the_instance() -> None:
    text = text_of("azure-ml", gpu="A100")

    assert read_back("azure-ml", text)["instance_type"] == "Standard_NC24ads_A100_v4"


def test_a_vendors_own_spelling_of_a_gpu_is_kept() -> None:
    assert 'gpu="H100!",' in text_of("modal", gpu="H100!")
    assert 'gpu="L4",' in text_of("modal", gpu="nvidia l4")


def test_costsims_own_settings_are_never_told() -> None:
    given = {"parking_timeout": "20m", "decision_interval": "2s"}

    assert text_of("baseten", given) == text_of("baseten")


def test_a_setting_that_follows_another_is_told_with_its_value() -> None:
    text = text_of("vertex", {"min_replica_count": 3})

    assert read_back("vertex", text)["--max-replica-count"] == "3"


# ---- a pool that is written out


def test_a_custom_deployment_is_the_yaml_of_its_pool() -> None:
    pool = {
        "autoscaler": {"kind": "on_demand"},
        "idle_timeout": "1m30s",
        "max_replicas": 4,
        "schedule": [{"when": "0 9 * * 1", "for": "2h", "min_replicas": 3}],
    }
    deployment = Deployment.model_validate(
        {"name": "own", "pool": pool, "billing": {"price": "2 USD/h"}}
    )

    text = configuration_text(deployment, None)

    assert "  idle_timeout: 90s\n" in text
    assert "max_queued" not in text
    assert Pool.model_validate(yaml.safe_load(text)["pool"]) == deployment.pool


# ---- lines


def filled(text: str, language: Any = "yaml") -> list[str]:
    return laid_out(text, language, lambda line: "$no" not in line)


def test_a_line_without_a_value_is_left_out_with_what_is_inside_it() -> None:
    assert filled("a: 1\nb: $no\n  c: 2\nd: 3") == ["a: 1", "d: 3"]


def test_a_line_whose_lines_are_all_left_out_goes_with_its_bracket() -> None:
    text = "call(\n    deep=[\n        $no,\n    ],\n    x=$no,\n)\nkept"

    assert filled(text, "python") == ["kept"]


def test_a_line_keeps_the_lines_that_have_values_and_its_bracket() -> None:
    text = "call(\n    a=$no,\n\n    b=1,\n)\n"

    assert filled(text, "python") == ["call(", "", "    b=1,", ")"]


def test_a_comma_before_a_bracket_goes_in_json_only() -> None:
    text = '{\n  "a": [\n    1,\n    $no\n  ],\n  "b": $no\n}'

    assert filled(text, "json") == ["{", '  "a": [', "    1", "  ]", "}"]
    assert filled(text, "yaml")[-2] == "  ],"


def test_an_indented_line_continues_a_shell_command() -> None:
    text = "one\n  --a 1\n  --b $no\ntwo\n  --c 3\n"

    assert filled(text, "sh") == ["one \\", "  --a 1", "two \\", "  --c 3"]
