"""The report at a terminal: nothing clipped, nothing too wide, nothing hostile."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from small_study import always_on, answer, own

from costsim import __version__
from costsim.report.terminal import run_report, short
from costsim.units import format_duration, format_fraction, format_usd

if TYPE_CHECKING:
    from costsim.study.result import RunResult

WIDTHS = [40, 60, 80, 100, 160]

LONG = {
    "markup": "[red]x[/] [link=file:///etc/passwd]y[/link]",
    "newlines": "two\nlines\r\nand\ttabs",
    "control": "\x1b[2J\x1b]0;owned\x07\x08\x00\x9b31m",
    "right-to-left": "\u202egnp.exe\u2066 \u200f\u05d0\u05d1",
    "emoji": "\U0001f469\u200d\U0001f680 \U0001f600 \U0001f1e9\U0001f1ea",
    "wide": "日本語の名前" * 20,
    "combining": "e\u0301" * 50,
    "10,000 characters": "x" * 10_000,
    "spaces": " " * 50,
}


def printed(result: RunResult, width: int = 80, *, unicode: bool = True) -> str:
    buffer = io.StringIO()
    report = run_report(result, width=width, unicode=unicode)
    Console(file=buffer, width=width, color_system=None).print(report)
    return buffer.getvalue()


def lines_of(result: RunResult, width: int = 80, *, unicode: bool = True) -> list[str]:
    text = printed(result, width, unicode=unicode)
    return [line.rstrip() for line in text.splitlines()]


def table_of(result: RunResult, width: int = 80) -> list[str]:
    """Return the lines of the table, its heading first."""
    lines = lines_of(result, width)
    first = next(i for i, line in enumerate(lines) if "DEPLOYMENT" in line)
    return lines[first : first + 1 + len(result.rows)]


def curves_of(result: RunResult, width: int) -> list[str]:
    """Return the lines of the first replication's curves."""
    text = printed(result, width).split("one scale")[-1]
    return [line.rstrip() for line in text.splitlines()[1:]]


BUSY = {
    "slo": {"p95": "75s", "over": {"seconds": "30s", "fraction": 0.5}},
    "service": {"time": {"distribution": "exponential", "mean": "20s"}},
}


@pytest.fixture(scope="module")
def result() -> RunResult:
    """Return a run with everything in it: misses, losses, fees, a credit, rounding."""
    fees = {
        "increment": "1m",
        "per_request": "0.01 USD",
        "monthly_fee": "200 USD",
        "monthly_credit": "100 USD",
    }
    return answer(
        own("on demand with a fee and a credit, rounded", billing=fees),
        always_on("four always on", n=4),
        always_on("one that loses", max_queued=1, queue_timeout="30s"),
        own("at zero", idle_timeout="1s"),
        **BUSY,
    )


def inflated(result: RunResult, factor: float) -> RunResult:
    """Return the result with numbers of many more digits."""
    rows = [
        replace(
            row,
            **{
                name: getattr(row, name) * factor
                for name in (
                    "cost_usd", "cost_usd_low", "cost_usd_high", "cost_usd_per_month",
                    "cost_usd_per_1k_requests", "mean_s", "p50_s", "p90_s", "p95_s",
                    "p95_s_low", "p95_s_high", "p99_s", "launches", "peak_replicas",
                    "mean_ready_replicas",
                )
            },
        )
        for row in result.rows
    ]  # fmt: skip
    return replace(result, rows=tuple(rows))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("factor", [1.0, 1e6])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_clipped(
    result, width, factor, unicode
):
    lines = lines_of(inflated(result, factor), width, unicode=unicode)

    assert max(map(cell_len, lines)) <= width
    assert not [line for line in lines if "…" in line]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("factor", [1.0, 1e6])
def test_the_most_important_numbers_are_whole_at_every_width(result, width, factor):
    big = inflated(result, factor)

    words = set(printed(big, width).split())

    assert {format_usd(row.cost_usd_per_month)[1:] for row in big.rows} <= words
    assert {format_duration(row.p95_s) for row in big.rows} <= words


def test_the_report_has_its_parts_in_order(result):
    text = printed(result)

    places = [
        text.index(part)
        for part in (
            "small: ",
            "seed 3",
            "meets p95 <= 75s",
            "DEPLOYMENT",
            "SLO\n",
            "WHERE THE MONEY GOES",
            "FIRST REPLICATION, ",
            "traffic, peak",
        )
    ]
    assert places == sorted(places)


def test_the_headline_says_what_the_numbers_rest_on(result):
    assert lines_of(result)[0] == (
        "small: 108 requests in 2h (54.2/h), 3 replications, seed 3, costsim "
        f"{__version__}"
    )


def test_one_replication_is_not_plural():
    assert "1 replication, seed" in printed(answer(own(), replications=1))


def test_dated_prices_are_dated():
    theirs = {
        "name": "theirs",
        "platform": "modal",
        "gpu": "L4",
        "resources": {"cpu": 1, "memory": "16 GiB"},
    }
    found = answer(theirs)

    assert f"prices as of {found.prices_as_of}" in printed(found, 160)


def test_the_verdict_stands_above_the_table(result):
    lines = lines_of(result, 250)

    assert lines[2] == result.verdict.sentence


def test_rows_that_meet_the_slo_come_first_and_the_cheapest_of_them_on_top(result):
    meets = {row.deployment: row.meets_slo for row in result.rows}
    cost = {row.deployment: row.cost_usd for row in result.rows}
    order = sorted(meets, key=lambda name: (not meets[name], cost[name]))

    names = [line[3:31].rstrip() for line in table_of(result)[1:]]

    assert names == [short(name) for name in order]
    assert sorted(meets.values()) == [False, False, True, True]


def test_marks_tell_the_choice_from_what_misses(result):
    marks = "".join(line[0] for line in table_of(result)[1:])

    assert marks == "> xx"


def test_all_that_tie_are_marked():
    lines = table_of(answer(own("a"), own("b"), always_on("c", n=9)))

    assert [line[0] for line in lines] == [" ", ">", ">", " "]


def test_numbers_are_aligned_to_the_right_below_their_heading(result):
    heading, *rows = table_of(result, 160)

    ends = [match.end() for match in re.finditer(r"\S+(?: \S+)*", heading)][1:]
    for line in rows:
        assert [line.ljust(160)[end - 1] == " " for end in ends] == [False] * len(ends)
        assert [line.ljust(160)[end] == " " for end in ends] == [True] * len(ends)


def test_the_errors_beside_cost_and_p95_are_half_their_intervals(result):
    words = {line.split("  ")[1].strip(): line for line in table_of(result)[1:]}

    (row,) = [row for row in result.rows if row.deployment == "at zero"]
    cost_error = (row.cost_usd_high - row.cost_usd_low) / 2 / row.cost_usd
    p95_error = (row.p95_s_high - row.p95_s_low) / 2
    assert words["at zero"].split()[3:7] == [
        format_usd(row.cost_usd_per_month)[1:],
        format_fraction(cost_error),
        format_duration(row.p95_s),
        format_duration(p95_error),
    ]


def test_columns_go_before_numbers_are_clipped(result):
    titles = {width: table_of(result, width)[0].split() for width in (80, 160)}

    assert {"DEPLOYMENT", "$/MONTH", "P95", "COLD", "LOST"} <= set(titles[80])
    assert {"LAUNCHES", "REPLICAS", "MEAN", "P50", "P99", "UTIL"} <= set(titles[160])
    assert "LAUNCHES" not in titles[80]


def test_lost_requests_stay_where_there_are_some_and_go_first_where_there_are_none(
    result,
):
    lossless = answer(*[always_on(f"a deployment of {n} replicas", n) for n in (1, 2)])

    assert "LOST" in table_of(result, 80)[0]
    assert "LOST" not in table_of(lossless, 80)[0]
    assert "P99" in table_of(lossless, 80)[0]


def test_a_narrow_terminal_gets_one_measure_a_line_below_each_name(result):
    lines = lines_of(result, 40)

    first = next(i for i, line in enumerate(lines) if line.startswith("> "))
    (best,) = [r for r in result.rows if short(r.deployment) == lines[first][2:]]
    half = format_duration((best.p95_s_high - best.p95_s_low) / 2)
    assert lines[first + 1].startswith("  $/MONTH  ")
    assert f"  P95      {format_duration(best.p95_s)} +- {half}" in lines[first:]
    assert "x one that loses" in lines


@pytest.mark.parametrize(
    ("width", "n_lines"), [(40, 14), (55, 7)], ids=["one beside", "two beside"]
)
def test_blocks_have_as_many_measures_beside_each_other_as_fit(result, width, n_lines):
    lines = lines_of(result, width)

    first = next(i for i, line in enumerate(lines) if line.startswith("> "))
    assert lines[first + n_lines + 1] == ""
    assert "" not in lines[first : first + n_lines + 1]


def test_names_are_cut_before_the_table_becomes_blocks(result):
    heading, *rows = table_of(result, 60)

    assert {"$/MONTH", "P95", "COLD"} <= set(heading.split())
    assert [row for row in rows if ".." in row[3:31]] != []
    assert "DEPLOYMENT" not in printed(result, 59)


def test_names_that_are_cut_to_the_same_text_are_numbered():
    names = [f"{'the same long beginning of a name ' * 2}{i}" for i in (1, 2)]

    text = printed(answer(*map(own, names)), 160)

    cut = "the same long beginning of.."
    # In the table, before the bar of the cost and behind the curve of the replicas.
    assert [text.count(f"{i} {cut}") for i in (1, 2)] == [3, 3]


def test_a_missed_bound_is_told_with_its_value(result):
    section = printed(result, 160).split("SLO\n")[1]

    assert "  one that loses misses lost requests <= 1%: 7.7%" in section


def test_a_bound_that_is_met_for_certain_is_not_told(result):
    section = printed(result, 160).split("SLO\n")[1]

    assert "four always on meets slow requests" not in section
    assert "four always on meets lost requests" not in section


def test_a_bound_that_is_met_within_the_noise_is_told_too():
    (row,) = answer(own(), slo={"p95": "1h"}, service=BUSY["service"]).rows
    limit = f"{(row.p95_s + row.p95_s_high) / 2 * 1000:.0f}ms"

    found = answer(own(), slo={"p95": limit}, service=BUSY["service"])

    assert re.search(
        r"  own meets p95 <= \S+: \S+ \(within the noise\)", printed(found)
    )


def test_without_intervals_nothing_is_said_to_be_within_the_noise():
    found = answer(own(), slo={"p95": "1s"}, replications=1)

    assert "own misses p95 <= 1s: 12s\n" in re.sub(r" +\n", "\n", printed(found))


def test_the_cost_split_names_every_part_with_its_share(result):
    text = printed(result, 160)

    (line,) = [line for line in text.splitlines() if "  credit -" in line]
    *parts, credit, times = line.strip().split("  ")
    (row,) = [one for one in result.rows if one.credits_usd]
    assert times == f"{row.cost_usd / row.perfect_usd:.1f}x a perfect autoscaler"
    fills, names, shares = zip(*map(str.split, parts), strict=True)
    assert names == ("busy", "idle", "setup", "rounding", "fees")
    assert fills == tuple("█▓▒░·")
    told = [float(share.rstrip("%")) for share in shares]
    assert sum(told) == pytest.approx(100, abs=2)
    assert float(credit.split()[1].rstrip("%")) < 0


@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
def test_every_character_of_a_bar_is_explained_below_it(result, unicode):
    text = printed(result, 160, unicode=unicode)
    section = text.split("WHERE THE MONEY GOES\n")[1].split("\n\n")[0].splitlines()

    bars = [set(line.split("  ")[-1].strip()) for line in section[::2]]
    told = [{part[0] for part in line.split("  ") if part} for line in section[1::2]]
    assert len(bars) == len(told) == 4
    unexplained = [bar - known for bar, known in zip(bars, told, strict=True)]
    assert unexplained == [set()] * 4
    assert sum(map(len, bars)) > 8


@pytest.mark.parametrize(
    ("width", "spark", "bar"), [(80, 40, 48), (100, 60, 60), (250, 120, 60)]
)
def test_curves_and_bars_take_the_width_that_they_have_up_to_a_most(
    result, width, spark, bar
):
    text = printed(result, width)

    assert max(map(len, re.findall("[▁▂▃▄▅▆▇█]{20,}", text))) == spark
    assert max(map(len, re.findall("[█▓▒░·]{20,}", text.split("FIRST")[0]))) == bar


def test_the_shares_of_the_cost_are_of_what_was_spent():
    # Two hours of one replica, without a request: all of it is idle.
    found = answer(always_on(), traffic={"streams": [{"rate": "0/h"}]}, replications=2)

    text = printed(found)
    assert " idle 100%\n" in re.sub(r" +\n", "\n", text)
    assert "busy" not in text


def test_what_is_free_has_no_split():
    found = answer(own("free", price="0 USD/h"))

    assert "WHERE THE MONEY GOES" not in printed(found)


def test_a_sparkline_stands_for_the_traffic_and_each_deployment(result):
    section = curves_of(result, 80)

    labels = [re.sub(r"^  \S+  ", "", line) for line in section]
    peaks = [(one.starting + one.ready).max() for one in result.timelines]
    assert labels == [
        "traffic, peak 6/min",
        *(
            f"{short(row.deployment)}, peak {peak:.2g}"
            for row, peak in zip(result.rows, peaks, strict=True)
        ),
    ]
    assert len({len(line.split()[0]) for line in section}) == 1


def test_replicas_are_drawn_on_one_scale(result):
    curves = [line.split()[0] for line in curves_of(result, 80)]

    highest = [max(curve) for curve in curves]
    peaks = [(one.starting + one.ready).max() for one in result.timelines]
    assert highest[0] == "█"
    assert [peak == max(peaks) for peak in peaks] == [
        character == "█" for character in highest[1:]
    ]
    assert "means of 30s, replicas on one scale" in printed(result)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_sparkline_is_never_broken(result, width):
    assert len(curves_of(result, width)) == 1 + len(result.rows)


@pytest.mark.parametrize(
    ("per_s", "told"),
    [(12.0, "12/s"), (0.5, "30/min"), (0.001, "3.6/h"), (0.0, "0/day")],
)
def test_the_peak_rate_has_the_unit_that_makes_it_at_least_one(result, per_s, told):
    timeline = replace(
        result.timelines[0], arrivals=result.timelines[0].arrivals * 0 + per_s
    )

    text = printed(replace(result, timelines=(timeline,) * 4))

    assert f"traffic, peak {told}" in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LONG)
def test_hostile_names_stay_harmless(name, width):
    found = answer(
        own(LONG[name]),
        always_on("b"),
        name=LONG[name],
        slo={"p95": "5s"},
        replications=2,
    )

    text = printed(found, width)

    assert text.replace("\n", "").isprintable()
    assert max(map(cell_len, text.splitlines())) <= width
    assert len(text.splitlines()) < 120


def test_markup_in_a_name_is_text():
    text = printed(answer(own("[red]x[/]"), own("[/b]"), name="[blink]n[/]"))

    assert "[blink]n[/]: " in text
    assert ">  [red]x[/]  " in text
    assert "Tie: [red]x[/] and [/b] cost about" in text


def test_control_characters_become_spaces():
    assert short("a\x1b[2Jb\nc\u202ed\x07") == "a [2Jb c d "


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [
        ("exactly ten", 11, "exactly ten"),
        ("exactly eleven", 11, "exactly e.."),
        ("cut at a space", 8, "cut at.."),
        ("日本語", 6, "日本語"),
        ("日本語x", 6, "日本.."),
    ],
)
def test_a_name_is_cut_to_cells_and_not_to_characters(name, width, expected):
    assert short(name, width) == expected


def test_the_plain_form_is_ascii(result):
    assert printed(result, 80, unicode=False).isascii()
    assert not printed(result, 80, unicode=True).isascii()


def test_a_run_without_requests_has_dashes_for_what_is_not_known():
    found = answer(own(max_replicas=0), slo={"p95": "1s"})

    (line,) = table_of(found, 160)[1:]
    assert line.split()[:2] == ["x", "own"]
    assert line.split().count("-") >= 7
    assert "nan" not in printed(found).lower()


def test_no_box_is_drawn(result):
    drawn = set(map(ord, printed(result, 160))) & set(range(0x2500, 0x2580))

    assert drawn == set()


def test_a_report_changes_nothing_in_its_result(result):
    before: Any = result.to_json()

    printed(result, 40)

    assert result.to_json() == before
