"""Production features, under the same names for every platform."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from costsim.catalog.provenance import Sourced, yes_or_no
from costsim.spec import Many  # noqa: TC001 - pydantic reads it at run time


class Feature(Sourced):
    """Whether a platform offers something."""

    support: Annotated[
        Literal["yes", "no", "partly", "unknown"], BeforeValidator(yes_or_no)
    ]
    """Offered; not offered; with restrictions or by your own work; nothing was found."""
    plans: Many[str] = ()
    """The plans that have it; every plan if empty."""


class Features(Sourced):
    """Production features."""

    custom_domain: Feature
    """Your own domain name in front of the endpoint."""
    rollback: Feature
    """Back to an earlier version without building it again."""
    rolling_deploy: Feature
    """A new version takes over without a gap."""
    canary: Feature
    """A share of the traffic goes to the new version."""
    environments: Feature
    """Staging and production side by side."""
    auth: Feature
    """Only callers with a key or token get in."""
    access_control: Feature
    """Roles, single sign-on, audit logs."""
    secrets: Feature
    """Secrets are kept and handed to the code."""
    volumes: Feature
    """Storage that outlives a replica."""
    cron: Feature
    """Code that runs by the clock."""
    retries: Feature
    """What failed runs again."""
    timeouts: Feature
    """A request is ended after a time."""
    async_jobs: Feature
    """Requests that are queued and answered later."""
    websockets: Feature
    """WebSocket connections."""
    grpc: Feature
    """gRPC."""
    batching: Feature
    """Requests are joined into batches by the platform."""
    multi_gpu: Feature
    """More than one GPU in a replica."""
    multi_node: Feature
    """One replica on several machines."""
    regions: Feature
    """The region can be chosen."""
    data_residency: Feature
    """Data stay in a region."""
    logs: Feature
    """Logs are kept and can be exported."""
    metrics: Feature
    """Latency and replicas are measured."""
    scale_to_zero: Feature
    """No replica while there is no traffic."""
    scheduled_scaling: Feature
    """Other bounds at other times."""
    fast_start: Feature
    """Snapshots or the like make cold starts shorter."""
    isolation: Feature
    """Tenants are kept apart by more than a container."""
    soc2: Feature
    """SOC 2 report."""
    hipaa: Feature
    """HIPAA agreement."""
    gdpr: Feature
    """GDPR data processing agreement."""
    sla: Feature
    """Uptime with credits."""
    self_host: Feature
    """Runs in your own cloud account."""
    infrastructure_as_code: Feature
    """Deployments are code."""

    def feature(self, name: str) -> Feature:
        """Return a feature by its name, one of ``FEATURES``."""
        found: Feature = getattr(self, name)
        return found


FEATURES: dict[str, str] = {
    name: field.description or ""
    for name, field in Features.model_fields.items()
    if name not in Sourced.model_fields
}
"""Every feature's name and meaning, in the order of the report."""
