"""Processes that tasks run in: what is shared comes once, vanished ones are replaced."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from vanishing import counted, process_of

from costsim.errors import SimulationError
from costsim.study.executor import RETRIES, Workers, each_result, map_tasks

PROCESSES = Workers(2, processes=True)


def test_tasks_run_in_other_processes():
    found = set(map_tasks(process_of, None, range(20), workers=PROCESSES))

    assert os.getpid() not in found
    assert len(found) <= 2


def test_results_come_in_the_order_of_the_tasks_from_processes():
    assert map_tasks(pow, 3, range(8), workers=PROCESSES) == [3**i for i in range(8)]


def test_a_task_whose_worker_vanished_is_done_again(tmp_path):
    shared = str(tmp_path / "marks"), {5: RETRIES}

    found = map_tasks(counted, shared, range(8), workers=PROCESSES)

    assert found == [i * i for i in range(8)]


def test_a_task_that_kills_every_worker_is_an_error_and_what_is_done_was_handed_over(
    tmp_path,
):
    shared = str(tmp_path / "marks"), {7: 1000}
    found = {}

    with pytest.raises(SimulationError, match="a worker vanished 4 times"):
        each_result(
            counted, shared, range(8), workers=PROCESSES, on_result=found.__setitem__
        )

    assert found.items() <= {i: i * i for i in range(7)}.items()
    marks = (tmp_path / "marks").read_text().split()
    assert marks.count("7") == RETRIES + 1


def test_a_result_is_handed_over_once_though_workers_vanish(tmp_path):
    shared = str(tmp_path / "marks"), {1: 1, 4: 2}
    found = []

    each_result(
        counted,
        shared,
        range(12),
        workers=PROCESSES,
        on_result=lambda index, _: found.append(index),
    )

    assert sorted(found) == list(range(12))


def test_an_error_in_a_process_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        map_tasks(divmod, 1, [1, 0, 2], workers=PROCESSES)


def test_the_callers_executor_breaks_as_it_wants():
    class Odd(ThreadPoolExecutor):
        def submit(self, *_):
            raise RuntimeError("closed")

    with Odd(1) as pool, pytest.raises(RuntimeError, match="closed"):
        map_tasks(max, 1, [1], workers=Workers(executor=pool))
