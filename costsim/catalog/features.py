"""Production features, under the same names for every platform."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from costsim.catalog.provenance import NOT_FOUND, Sourced, yes_or_no
from costsim.spec import Many  # noqa: TC001 - pydantic reads it at run time


class Feature(Sourced):
    """Whether a platform offers something."""

    support: Annotated[
        Literal["yes", "no", "partly", "unknown"], BeforeValidator(yes_or_no)
    ]
    """Offered; not offered; with restrictions or by your own work; nothing was found."""
    plans: Many[str] = ()
    """The plans that have it; every plan if empty."""


def _not_found() -> Feature:
    return Feature(support="unknown", source=NOT_FOUND, evidence="derived")


class Features(Sourced):
    """Production features; one that is left out is not known."""

    custom_domain: Feature = Field(default_factory=_not_found)
    """Your own domain name in front of the endpoint."""
    rollback: Feature = Field(default_factory=_not_found)
    """Back to an earlier version without building it again."""
    rolling_deploy: Feature = Field(default_factory=_not_found)
    """A new version takes over without a gap."""
    canary: Feature = Field(default_factory=_not_found)
    """A share of the traffic goes to the new version."""
    environments: Feature = Field(default_factory=_not_found)
    """Staging and production side by side."""
    auth: Feature = Field(default_factory=_not_found)
    """Only callers with a key or token get in."""
    access_control: Feature = Field(default_factory=_not_found)
    """Roles, single sign-on, audit logs."""
    secrets: Feature = Field(default_factory=_not_found)
    """Secrets are kept and handed to the code."""
    volumes: Feature = Field(default_factory=_not_found)
    """Storage that outlives a replica."""
    cron: Feature = Field(default_factory=_not_found)
    """Code that runs by the clock."""
    retries: Feature = Field(default_factory=_not_found)
    """What failed runs again."""
    timeouts: Feature = Field(default_factory=_not_found)
    """A request is ended after a time."""
    async_jobs: Feature = Field(default_factory=_not_found)
    """Requests that are queued and answered later."""
    websockets: Feature = Field(default_factory=_not_found)
    """WebSocket connections."""
    grpc: Feature = Field(default_factory=_not_found)
    """gRPC."""
    batching: Feature = Field(default_factory=_not_found)
    """Requests are joined into batches by the platform."""
    multi_gpu: Feature = Field(default_factory=_not_found)
    """More than one GPU in a replica."""
    multi_node: Feature = Field(default_factory=_not_found)
    """One replica on several machines."""
    regions: Feature = Field(default_factory=_not_found)
    """The region can be chosen."""
    data_residency: Feature = Field(default_factory=_not_found)
    """Data stay in a region."""
    logs: Feature = Field(default_factory=_not_found)
    """Logs are kept and can be exported."""
    metrics: Feature = Field(default_factory=_not_found)
    """Latency and replicas are measured."""
    scale_to_zero: Feature = Field(default_factory=_not_found)
    """No replica while there is no traffic."""
    scheduled_scaling: Feature = Field(default_factory=_not_found)
    """Other bounds at other times."""
    fast_start: Feature = Field(default_factory=_not_found)
    """Snapshots or the like make cold starts shorter."""
    isolation: Feature = Field(default_factory=_not_found)
    """Tenants are kept apart by more than a container."""
    soc2: Feature = Field(default_factory=_not_found)
    """SOC 2 report."""
    hipaa: Feature = Field(default_factory=_not_found)
    """HIPAA agreement."""
    gdpr: Feature = Field(default_factory=_not_found)
    """GDPR data processing agreement."""
    sla: Feature = Field(default_factory=_not_found)
    """Uptime with credits."""
    self_host: Feature = Field(default_factory=_not_found)
    """Runs in your own cloud account."""
    infrastructure_as_code: Feature = Field(default_factory=_not_found)
    """Deployments are code."""

    def feature(self, name: str) -> Feature:
        """Return a feature by its name, one of ``FEATURES``."""
        found: Feature = getattr(self, name)
        return found


_YOUR_OWN = (
    *("custom_domain", "rollback", "rolling_deploy", "canary", "environments", "auth"),
    *("secrets", "cron", "retries", "timeouts", "async_jobs", "websockets", "grpc"),
    *("batching", "multi_node", "logs", "metrics", "scheduled_scaling"),
)


def with_own_work(features: Features, machine: str) -> Features:
    """Return features in which what you can build yourself is there in part.

    Parameters
    ----------
    features : Features
        Of a platform that gives you machines; what it answers itself stays.
    machine : str
        What is yours, for the note.
    """
    own = Feature(
        support="partly",
        source=f"costsim's reading of {machine} of your own",
        evidence="derived",
        note="Your own work.",
    )
    left_out = [name for name in _YOUR_OWN if name not in features.model_fields_set]
    return features.model_copy(update=dict.fromkeys(left_out, own))


FEATURES = tuple(
    name for name in Features.model_fields if name not in Sourced.model_fields
)
"""Every feature's name, in the order of the report."""
