"""The settings of a pool as `simulate_pool` has them if nothing is said."""

import inspect

import costsim
from costsim.simulation.settings import check_settings

_TAKEN = inspect.signature(check_settings).parameters
DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(costsim.simulate_pool).parameters.items()
    if name in _TAKEN and name != "records"
}


def settings_of(**pool):
    """Return the checked settings of a pool; keywords are those of `simulate_pool`."""
    return check_settings(**{**DEFAULTS, **pool})
