"""The configuration of a platform file: what is wrong with it is told at its line."""

from __future__ import annotations

from importlib import resources

import pytest

from costsim.catalog.configuration import placeholders
from costsim.catalog.platform import load_catalog, read_platform
from costsim.errors import CatalogError

MODAL = (resources.files("costsim.catalog") / "platforms/modal.yaml").read_text("utf-8")


def refusal(old: str, new: str, text: str = MODAL) -> str:
    assert text.count(old) == 1
    with pytest.raises(CatalogError) as raised:
        read_platform(text.replace(old, new), "modal.yaml")
    return str(raised.value)


def line_of(part: str, text: str = MODAL) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_an_unknown_placeholder_is_refused_at_its_line_with_a_suggestion() -> None:
    # The line before has a placeholder that begins with the wrong one.
    part = "target_inputs=$target_inputs"

    message = refusal(part, "max_inputs=$max_inputs,\n        target_inputs=$max_input")

    at = f"modal.yaml:{line_of(part) + 1}:23: configuration.template: "
    assert message.startswith(
        f"{at}unknown placeholder '$max_input' (did you mean '$max_inputs'?); allowed: "
    )
    assert message.endswith("^^^^^^^^^^")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            "scaledown_window=$scaledown_window",
            "'$scaledown_window' has the wrong format; write "
            "'${scaledown_window:seconds}' or '${scaledown_window:minutes}' or "
            "'${scaledown_window:milliseconds}'",
        ),
        (
            "scaledown_window=${scaledown_window:hours}",
            "'${scaledown_window:hours}' has the wrong format",
        ),
        (
            "retries=${retries:seconds}",
            "'${retries:seconds}' has the wrong format; write '$retries'",
        ),
        (
            "count=${gpu_count:counted}",
            "'${gpu_count:counted}' has the wrong format; write '$gpu_count'",
        ),
        (
            "gpu=${gpu:seconds}",
            "'${gpu:seconds}' has the wrong format; write '$gpu' or '${gpu:counted}'",
        ),
        (
            "key=$(secret)",
            "'$(secret)' is no placeholder; write '$setting', '${setting:seconds}', or "
            "'$$' for a dollar sign",
        ),
    ],
)
def test_what_is_wrong_with_a_placeholder_is_told(new: str, message: str) -> None:
    old = "scaledown_window=${scaledown_window:seconds}"

    told = refusal(old, new)

    assert f"modal.yaml:{line_of(old)}:" in told
    assert f"configuration.template: {message}" in told


def test_costsims_own_word_is_refused() -> None:
    text = MODAL.replace(
        "meaning: Kept warm even when idle.", "origin: costsim, meaning: Kept."
    )

    told = refusal("retries=$retries", "retries=$retries", text)

    assert "'$min_containers' is costsim's own word, which no vendor knows" in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("language: python", "language: ruby", "configuration.language: "),
        ("language: python", "langauge: python", "unknown key (did you mean 'language'?)"),
        (
            "language: python",
            "language: python\n  required: [max_container]",
            "configuration.required.0: unknown setting 'max_container' (did you mean",
        ),
        (
            "  template: |\n",
            "  template:\n    a: {b: c}\n  note: |\n",
            "configuration.template: is a text, or one '$setting' with a mapping",
        ),
        (
            "  template: |\n",
            "  template:\n    $nothing: {else: c}\n  note: |\n",
            "configuration.template: unknown setting 'nothing'",
        ),
    ],
)  # fmt: skip
def test_what_else_is_wrong_with_a_configuration_is_told(
    old: str, new: str, message: str
) -> None:
    at = MODAL.index("\nconfiguration:")
    section, rest = MODAL[at:].split("\nlimits:", 1)
    assert section.count(old) == 1
    text = f"{MODAL[:at]}{section.replace(old, new)}\nlimits:{rest}"

    with pytest.raises(CatalogError) as raised:
        read_platform(text, "modal.yaml")

    assert message in str(raised.value)


def test_a_dollar_sign_and_a_value_in_reserve_are_read() -> None:
    found = placeholders("$$HOME $a ${b:seconds} ${c:seconds=15}")

    assert [(one.name, one.form, one.otherwise) for one in found] == [
        ("a", "", None),
        ("b", "seconds", None),
        ("c", "seconds", "15"),
    ]


def test_a_text_is_chosen_by_the_value_of_a_setting() -> None:
    sagemaker = load_catalog().platform("sagemaker").configuration
    aws_lambda = load_catalog().platform("aws-lambda").configuration

    assert sagemaker is not None
    assert aws_lambda is not None
    assert "InvocationsPerInstance" not in sagemaker.text(None)
    assert "InvocationsPerInstance" in sagemaker.text(30)
    assert "put-provisioned" not in aws_lambda.text(0)
    assert "put-provisioned" in aws_lambda.text(2)
