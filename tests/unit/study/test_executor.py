"""Where work runs: results in order, progress in the calling thread, errors at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from costsim.study.executor import Workers, map_tasks, usable_cores


def test_results_come_in_the_order_of_the_tasks():
    def slow_first(base, task):
        time.sleep(0.05 / (1 + task))
        return base + task * task

    assert map_tasks(slow_first, 1, range(6)) == [1, 2, 5, 10, 17, 26]


def test_progress_is_told_in_the_calling_thread():
    told = []

    map_tasks(
        lambda _, task: task,
        None,
        range(3),
        on_done=lambda *counts: told.append((*counts, threading.get_ident())),
    )

    here = threading.get_ident()
    assert told == [(1, 3, here), (2, 3, here), (3, 3, here)]


def test_an_error_of_a_task_is_raised_and_what_has_not_begun_is_dropped():
    begun = []

    def fail_first(_, task):
        begun.append(task)
        if task == 0:
            message = "no"
            raise RuntimeError(message)
        time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="no"):
        map_tasks(fail_first, None, range(1000), workers=Workers(executor=pool))

    assert len(begun) < 100


def test_an_interrupt_while_waiting_drops_what_has_not_begun():
    begun = []

    def interrupt(finished, total):
        raise KeyboardInterrupt

    def work(_, task):
        begun.append(task)
        time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        map_tasks(
            work, None, range(1000), workers=Workers(executor=pool), on_done=interrupt
        )

    assert len(begun) < 100


def test_an_interrupt_while_submitting_drops_what_has_not_begun():
    begun = []

    def tasks():
        yield from range(1000)
        raise KeyboardInterrupt

    def work(_, task):
        begun.append(task)
        time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        map_tasks(work, None, tasks(), workers=Workers(executor=pool))

    assert len(begun) < 100


def test_the_callers_executor_stays_usable():
    with ThreadPoolExecutor(1) as pool:
        map_tasks(max, 2, [1], workers=Workers(executor=pool))

        assert pool.submit(abs, -2).result() == 2


def test_no_task_is_no_result():
    assert map_tasks(max, 2, []) == []


def test_there_is_a_core_to_run_on():
    assert usable_cores() >= 1
