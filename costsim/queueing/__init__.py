r"""Closed forms of queueing theory: what a pool must do where mathematics knows it.

All values are of the steady state, under Poisson arrivals, first come first served.
Arguments mean the same everywhere:

=====================  ==============  ===========================================
`servers`              :math:`c`       slots, >= 1; n replicas of k slots have nk
`arrival_rate_per_s`   :math:`\lambda` >= 0; > 0 for pools that stop [requests/s]
`mean_service_time_s`  :math:`E[S]`    > 0 [s]
`offered_load`         :math:`a`       :math:`\lambda E[S]` >= 0 [erlang]
`mean_setup_time_s`    :math:`E[C]`    >= 0 [s]
`idle_timeout_s`       :math:`\tau`    >= 0; inf: the replica never stops [s]
`mean_lifetime_s`      :math:`E[L]`    > 0, from ready to failure [s]
`slowdown`             :math:`s`       >= 0; of n requests on one replica each takes
                                       1 + s (n - 1) times as long [1]
`..._scv`                              variance / mean squared, >= 0: 0 for a
                                       constant, 1 for an exponential law [1]
`probability`                          in (0, 1) [1]
=====================  ==============  ===========================================

An argument outside its range is a `ValueError` that names it; a load without a steady
state is an `UnstableQueueError`. References are short for

- [PMDCS] Harchol-Balter, *Performance Modeling and Design of Computer Systems*, 2013;
- [Welch] *Operations Research* 12, 1964, p. 736: exceptional first services;
- [GHA] Gandhi, Harchol-Balter, Adan, *Performance Evaluation* 67, 2010, p. 1123: setup;
- [EMW] Eick, Massey, Whitt, *Operations Research* 41, 1993, p. 731: infinite servers;
- [Cohen] *Acta Informatica* 12, 1979, p. 245: generalized processor sharing;
- [Gaver] *Journal of the Royal Statistical Society B* 24, 1962, p. 73: repeated service;
- [AIN] Avi-Itzhak, Naor, *Operations Research* 11, 1963, p. 303: breakdowns.
"""

from __future__ import annotations

from costsim.queueing.break_even import (
    break_even_arrival_rate,
    break_even_utilization,
    exponential_mean_billed_time,
    periodic_break_even_rate,
)
from costsim.queueing.breakdowns import (
    availability,
    md1_breakdowns_mean_response_time,
    mean_completion_time,
)
from costsim.queueing.one_replica import (
    OneReplicaPool,
    TimeoutDistribution,
    idle_timeout_pool,
    mg1_mean_waiting_time,
    mg1_setup,
    mm1_setup_response_time_quantile,
    unlimited_concurrency_pool,
)
from costsim.queueing.processor_sharing import (
    LimitedSharing,
    limited_processor_sharing,
    processor_sharing_mean_response_time,
)
from costsim.queueing.servers import (
    LossQueue,
    erlang_b,
    erlang_c,
    mg_infinity_busy_quantile,
    mmc_mean_waiting_time,
    mmc_response_time_cdf,
    mmc_response_time_quantile,
    mmc_waiting_time_quantile,
    mmck,
)

__all__ = [
    "LimitedSharing",
    "LossQueue",
    "OneReplicaPool",
    "TimeoutDistribution",
    "availability",
    "break_even_arrival_rate",
    "break_even_utilization",
    "erlang_b",
    "erlang_c",
    "exponential_mean_billed_time",
    "idle_timeout_pool",
    "limited_processor_sharing",
    "md1_breakdowns_mean_response_time",
    "mean_completion_time",
    "mg1_mean_waiting_time",
    "mg1_setup",
    "mg_infinity_busy_quantile",
    "mm1_setup_response_time_quantile",
    "mmc_mean_waiting_time",
    "mmc_response_time_cdf",
    "mmc_response_time_quantile",
    "mmc_waiting_time_quantile",
    "mmck",
    "periodic_break_even_rate",
    "processor_sharing_mean_response_time",
    "unlimited_concurrency_pool",
]
