"""The ``trace`` section: a recorded trace, how it is read and how it is replayed."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from costsim.scenario.when import find_zone
from costsim.spec import (
    Duration,
    Fraction,
    Many,
    Moment,
    PositiveDuration,
    RuleError,
    Spec,
)

# fmt: off
TraceFormat = Literal[
    "auto",
    # tables with a row for each request or bin
    "csv", "jsonl", "parquet",
    # traces that were published
    "azure-llm", "vidur", "burstgpt", "mooncake", "bailian", "chatbot", "servegen",
    "azure-functions-2019", "azure-functions-2021",
    # results of load generators
    "vllm-bench", "guidellm", "aiperf", "genai-perf", "k6", "locust",
    # access logs
    "apache", "nginx", "alb", "cloudfront", "cloud-run",
    # telemetry
    "otlp", "jaeger", "prometheus", "grafana", "datadog", "cloudwatch",
    # platforms' own
    "runpod", "modal", "baseten", "sagemaker",
]
# fmt: on
"""Names of the formats that can be read; ``costsim traffic formats`` explains them."""


class Columns(Spec):
    """Which column or field of a recorded trace holds what; ``a.b`` reaches into b of a."""

    arrival: str | None = None
    """Time at which the request arrived."""
    end: str | None = None
    """Instead of the arrival: time at which it ended; needs a duration."""
    duration: str | None = None
    """Service time, without waiting."""
    input_tokens: str | None = None
    """Tokens read."""
    output_tokens: str | None = None
    """Tokens written."""
    count: str | None = None
    """Number of requests, where a row is a bin of time."""
    rate: str | None = None
    """Requests per second, where a row is a bin of time."""
    key: str | None = None
    """Endpoint, model or function."""
    session: str | None = None
    """Session, user or address."""


class Window(Spec):
    """A part of a trace."""

    begin: Moment | None = None
    """Where it begins: a date and time, or a duration after the first request."""
    end: Moment | None = None
    """Where it ends; the end itself is not in it."""

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if (
            isinstance(self.begin, float)
            and isinstance(self.end, float)
            and self.end <= self.begin
        ):
            message = "must be after begin"
            raise RuleError(message, "end")
        return self


class Trace(Spec):
    """A recorded trace, replayed as it was."""

    path: Annotated[str, Field(min_length=1)]
    """The file, relative to the scenario; ``.gz`` and ``.zst`` are unpacked."""
    format: TraceFormat = "auto"
    """How to read it; auto looks at the content."""
    columns: Columns = Columns()
    """Columns or fields, where the usual names are not used."""
    log_format: str | None = None
    """Apache's LogFormat string, for access logs of other forms."""
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    """Unit of numeric arrival times; auto tells epoch units apart by their size."""
    duration_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    """Unit of numeric durations; auto: by the format or the column's name, else seconds."""
    time_zone: str | None = None
    """Zone of calendar times without an offset; the format's, else the scenario's clock."""
    stamped: Literal["auto", "start", "end"] = "auto"
    """Whether times mark the start of a request or its end; ends are moved by durations."""
    bin: PositiveDuration | None = None
    """Width of a bin, where rows are bins; by the times if left out."""
    resolution: Duration | None = None
    """Times were cut to multiples of this: requests are spread over it; by the format if left out."""
    max_dropped: Fraction = 0.01
    """Largest share of rows that may be left out since they cannot be read."""
    keys: Many[str] = ()
    """Only requests with one of these keys; all if left out."""
    window: Window = Window()
    """Only this part."""
    scale_rate: Annotated[float, Field(gt=0, le=1e4)] = 1.0
    """Keep this share of the requests, or superpose copies where above 1."""
    scale_time: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Stretch the time between requests."""
    repeat: bool = False
    """Start again at the end of the trace, until the horizon."""
    jitter: Duration = 0.0
    """Move each request by a uniform random time up to this."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            find_zone(name)
        return name
