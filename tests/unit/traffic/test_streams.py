import numpy as np
import pytest

from costsim.traffic.streams import name_key, stream_rng

PINNED = [0.7923525787070729, 0.3428963320113305, 0.35745201861399467]
USERS_KEY = 4494661601655233416


def draws(*args):
    return stream_rng(*args).random(4).tolist()


def test_the_same_key_gives_the_same_numbers():
    assert draws(7, 3, "work") == draws(7, 3, "work")


@pytest.mark.parametrize(
    "other",
    [(8, 3, "work", 0), (7, 4, "work", 0), (7, 3, "setup", 0), (7, 3, "work", 1)],
    ids=["seed", "replication", "purpose", "index"],
)
def test_every_part_of_the_key_changes_the_numbers(other):
    assert draws(7, 3, "work", 0) != draws(*other)


def test_the_numbers_stay_as_they_are_from_version_to_version():
    # Results are reproduced from the seed: a change here changes every result.
    assert draws(17, 0, "arrivals", name_key("users"))[:3] == PINNED


def test_an_unknown_purpose_is_a_mistake():
    with pytest.raises(ValueError, match="not in tuple"):
        stream_rng(1, 0, "wrok")


def test_keys_of_names_differ_and_do_not_depend_on_the_run():
    names = ["a", "b", "users", "users ", "utilisateurs-é"]

    assert len({name_key(name) for name in names}) == len(names)
    assert name_key("users") == USERS_KEY


def test_streams_are_uncorrelated():
    first = stream_rng(1, 0, "arrivals").random(100_000)
    second = stream_rng(1, 1, "arrivals").random(100_000)

    # The correlation of independent samples has standard error 1 / sqrt(n).
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(100_000)


def test_the_largest_seed_is_accepted():
    assert len(draws(2**63 - 1, 99_999, "jitter", 2**64 - 1)) == 4
