"""Which ready replica with a free slot takes an arrival (docs/model.md 5).

By time of use from a list, by id from words of bits, and where the load counts, or the
last choice, from a tournament tree.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inlined, inner, unsigned
from costsim.simulation.heap import PLACE_BITS, PLACE_MASK
from costsim.simulation.linked import AVAILABLE, NONE, append, first, last, remove
from costsim.simulation.lowest import FAN, NOT_ONE, lowest, turn_off, turn_on
from costsim.simulation.ranking import (
    OUT,
    POSITION_MASK,
    next_ranked,
    position_after,
    set_rank,
)
from costsim.simulation.rules import Routing
from costsim.simulation.state import Phase

# Plain constants: numba folds them; an IntEnum's member would be looked up.
_MRU = int(Routing.MOST_RECENTLY_USED)
_LRU = int(Routing.LEAST_RECENTLY_USED)
_NEWEST = int(Routing.NEWEST)
_OLDEST = int(Routing.OLDEST)
_LEAST_LOADED = int(Routing.LEAST_LOADED)
_MOST_LOADED = int(Routing.MOST_LOADED)
_ROUND_ROBIN = int(Routing.ROUND_ROBIN)
_STOPPED = int(Phase.STOPPED)


@inlined
def _rank(rules, life):  # type: ignore[no-untyped-def]
    """Return a replica's rank: how much is in service where that counts, then its id."""
    if rules.routing == _LEAST_LOADED:
        return (np.int64(life.in_service) << 32) | life.position
    if rules.routing == _MOST_LOADED:
        return ((rules.concurrency_limit - life.in_service) << 32) | life.position
    if rules.routing == _NEWEST:
        return POSITION_MASK - life.position
    return np.int64(life.position)


@inlined
def offer(rules, s, replica):  # type: ignore[no-untyped-def]
    """Stamp a replica that has a free slot (5.1): it becomes the most recently used."""
    life = s.life[unsigned(replica)]
    if rules.routing == _OLDEST:
        if not life.available:
            turn_on(s.tree, s.pool.tree_size, np.int64(life.position))
            life.available = 1
    elif rules.routing > _LRU:
        set_rank(s.tree, s.pool.tree_size, life.position, _rank(rules, life))
    elif not life.available:
        append(s, AVAILABLE, replica)
        life.available = 1
    elif last(s, AVAILABLE) != replica:
        remove(s, AVAILABLE, replica)
        append(s, AVAILABLE, replica)


@inlined
def withdraw(rules, s, replica):  # type: ignore[no-untyped-def]
    """Take a replica out of those that can be chosen."""
    life = s.life[unsigned(replica)]
    if rules.routing == _OLDEST:
        turn_off(s.tree, s.pool.tree_size, np.int64(life.position))
        life.available = 0
    elif rules.routing > _LRU:
        set_rank(s.tree, s.pool.tree_size, life.position, OUT)
    else:
        remove(s, AVAILABLE, replica)
        life.available = 0


@inlined
def load(rules, s, replica):  # type: ignore[no-untyped-def]
    """Note that an available replica has begun one more request."""
    life = s.life[unsigned(replica)]
    if life.in_service == rules.concurrency_limit:
        withdraw(rules, s, replica)
    elif rules.routing == _LEAST_LOADED or rules.routing == _MOST_LOADED:
        set_rank(s.tree, s.pool.tree_size, life.position, _rank(rules, life))


@inlined
def choose(rules, s):  # type: ignore[no-untyped-def]
    """Return the ready replica with a free slot that takes an arrival; NONE if none has."""
    if rules.routing == _MRU:
        return last(s, AVAILABLE)
    if rules.routing == _LRU:
        return first(s, AVAILABLE)
    if rules.routing == _OLDEST:
        position = lowest(s.tree, s.pool.tree_size)
        if position == NOT_ONE:
            return np.int64(NONE)
        return s.enrolled[unsigned(position)] & PLACE_MASK
    return _choose_ranked(rules, s)


@inlined
def _choose_ranked(rules, s):  # type: ignore[no-untyped-def]
    rank = s.tree[1]
    if rank == OUT:
        return NONE
    if rules.routing == _ROUND_ROBIN:
        after = position_after(s.enrolled, s.pool.tree_used, s.pool.last_routed)
        following = next_ranked(s.tree, s.pool.tree_size, after)
        rank = rank if following == OUT else following
    position = rank & POSITION_MASK
    if rules.routing == _NEWEST:
        position = POSITION_MASK - position
    entry = s.enrolled[unsigned(position)]
    s.pool.last_routed = entry
    return entry & PLACE_MASK


@inner
def enrol(rules, s, replica):  # type: ignore[no-untyped-def]
    """Give a new replica its place in the ranking, where the routing needs one."""
    if rules.routing <= _LRU:
        return
    if s.pool.tree_used == s.pool.tree_size:
        if rules.routing == _OLDEST:
            _renumber(s)
        else:
            _compact(rules, s)
    life = s.life[replica]
    s.enrolled[s.pool.tree_used] = (life.id << PLACE_BITS) | replica
    life.position = s.pool.tree_used
    s.pool.tree_used += 1


@inner
def _renumber(s):  # type: ignore[no-untyped-def]
    """Give those alive the lowest positions, in the order of ids; grow if still half full."""
    pool = s.pool
    used = 0
    for position in range(pool.tree_used):
        entry = s.enrolled[position]
        life = s.life[entry & PLACE_MASK]
        # A slot may be another replica's by now.
        if life.id != entry >> PLACE_BITS or life.phase == _STOPPED:
            continue
        if life.available:
            turn_off(s.tree, pool.tree_size, np.int64(position))
        life.position = used
        s.enrolled[used] = entry
        used += 1
    pool.tree_used = used
    if 2 * used > pool.tree_size:
        pool.tree_size *= FAN
    for position in range(used):
        if s.life[s.enrolled[position] & PLACE_MASK].available:
            turn_on(s.tree, pool.tree_size, np.int64(position))


@inner
def _compact(rules, s):  # type: ignore[no-untyped-def]
    """Squeeze stopped replicas out of the ranking; double it if it is still half full.

    So it stays within four times the largest number of replicas alive at once.
    """
    size = s.pool.tree_size
    used = 0
    # Squeezed to the left in place, then moved to where the leaves of a larger tree are.
    for position in range(s.pool.tree_used):
        entry = s.enrolled[position]
        life = s.life[entry & PLACE_MASK]
        # A slot may be another replica's by now.
        if life.id == entry >> PLACE_BITS and life.phase != _STOPPED:
            life.position = used
            is_out = s.tree[size + position] == OUT
            s.tree[size + used] = OUT if is_out else _rank(rules, life)
            s.enrolled[used] = entry
            used += 1
    if 2 * used > size:
        for position in range(used - 1, -1, -1):
            s.tree[2 * size + position] = s.tree[size + position]
        size *= 2
    for leaf in range(size + used, 2 * size):
        s.tree[leaf] = OUT
    for node in range(size - 1, 0, -1):
        s.tree[node] = min(s.tree[2 * node], s.tree[2 * node + 1])
    s.pool.tree_size = size
    s.pool.tree_used = used
