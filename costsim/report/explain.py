"""What a word means: a page of short sentences, for a platform with a worked bill.

A word is looked up in ``SOURCES``, one after the other; a source knows its words, its
topics, and how to explain one. Platforms are the only source so far.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.catalog.lookup import nearest_few, unknown
from costsim.errors import InputError
from costsim.report.error_kinds import EXIT_CODES, error_kinds
from costsim.report.error_pages import ALL, error_words
from costsim.report.pages import (
    NARROW,
    Footnotes,
    heading,
    sentences,
    wrapping_table,
)
from costsim.report.statements import LIFE, TOPICS, statements
from costsim.report.terms import (
    COLUMNS_PAGE,
    column_tables,
    glossary_words,
    term_words,
    word_kinds,
)
from costsim.report.worked_bill import example_parts, example_record
from costsim.yaml_source import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from costsim.catalog.platform import Catalog, Platform
    from costsim.report.facts import Fact
    from costsim.study.tabular import Rows
    from costsim.study.worked_bill import WorkedBill

WITH_EXAMPLE = "billing"
"""The topic that has a worked bill."""
WITH_TEXT = "configuration"
"""The topic that has a text to paste."""


@dataclass(frozen=True)
class Hardware:
    """What the worked bill is about, where the user chooses."""

    gpu: str | None = None
    """GPU type."""
    instance: str | None = None
    """Instance, where whole ones are priced."""
    usd_per_hour: float | None = None
    """The user's own price. [USD/h]"""

    @property
    def chosen(self) -> bool:
        """Whether anything was chosen."""
        return self != Hardware()


@dataclass(frozen=True)
class Explanation:
    """What is known about a topic of a platform."""

    platform: Platform
    """The platform."""
    topic: str
    """One of ``TOPICS``."""
    facts: list[Fact]
    """The sentences, each with its source."""
    example: WorkedBill | None = None
    """One replica's life and its bill, with the topic ``billing``."""
    no_example: str = ""
    """Why there is none."""
    configuration: str = ""
    """The settings' defaults in the vendor's own language, with the topic ``configuration``."""


@dataclass(frozen=True)
class Source:
    """A kind of words that can be explained."""

    kind: str
    """What its words are: platforms."""
    words: Callable[[Catalog], Iterable[str]]
    """All of them."""
    topics: tuple[str, ...]
    """What can be asked about each; the first is meant if nothing is said."""
    explain: Callable[[Catalog, str, str, Hardware], Explanation]
    """From the catalog, a word, a topic and the hardware to the explanation."""


def explain(
    catalog: Catalog,
    word: str,
    topic: str | None = None,
    hardware: Hardware | None = None,
) -> Explanation:
    """Return the explanation of a word.

    Parameters
    ----------
    catalog : Catalog
        The platforms.
    word : str
        A word of one of ``SOURCES``, in any letter case.
    topic : str, optional
        What about it; the source's first topic if left out.
    hardware : Hardware, optional
        Of the worked bill.

    Raises
    ------
    InputError
        If the word or the topic is unknown (suggests one), or the hardware chosen has no
        worked bill.
    """
    source, known = _found(catalog, word)
    about = source.topics[0] if topic is None else topic.strip().casefold()
    if about not in source.topics:
        raise InputError(unknown("topic", topic, source.topics))
    wanted = hardware or Hardware()
    if wanted.chosen and about != WITH_EXAMPLE:
        message = f"--gpu, --instance and --price go with the topic {WITH_EXAMPLE}"
        raise InputError(message)
    return source.explain(catalog, known, about, wanted)


def _found(catalog: Catalog, word: str) -> tuple[Source, str]:
    """Return the first source that has a word, and the word as it is spelled there."""
    folded = word.strip().casefold()
    everything: list[str] = []
    for source in SOURCES:
        words = {one.casefold(): one for one in source.words(catalog)}
        if folded in words:
            return source, words[folded]
        everything += words.values()
    kinds = " or ".join(source.kind for source in SOURCES)
    near = nearest_few(word, [*everything, *term_words(), *error_words()])
    message = (
        f"unknown {kinds} or term {shown(word)}{near}; 'costsim explain' lists what "
        "can be explained"
    )
    if any(folded in source.topics for source in SOURCES):
        message = (
            f"{folded} is a topic; put a {kinds} before it: "
            f"costsim explain {everything[0]} {folded}"
        )
    raise InputError(message)


def _explain_platform(
    catalog: Catalog, name: str, topic: str, hardware: Hardware
) -> Explanation:
    platform = catalog.platform(name)
    said = statements(platform, topic)
    if topic == WITH_TEXT:
        return Explanation(platform, topic, said, configuration=_defaults(platform))
    if topic != WITH_EXAMPLE:
        return Explanation(platform, topic, said)
    # The example is simulated; the other topics need no engine.
    from costsim.study.worked_bill import NoExampleError, worked_bill

    try:
        example = worked_bill(platform, catalog, **asdict(hardware))
    except NoExampleError as error:
        if hardware.chosen:
            raise
        return Explanation(platform, topic, said, no_example=str(error))
    return Explanation(platform, topic, said, example)


def _defaults(platform: Platform) -> str:
    """Return the defaults of a platform's settings in the vendor's own language."""
    from costsim.scenario.configuration import configuration_text
    from costsim.scenario.schema import Deployment

    deployment = Deployment(name=platform.name, platform=platform.name)
    return configuration_text(deployment, platform)


SOURCES = (
    Source("platform", lambda catalog: catalog.names, tuple(TOPICS), _explain_platform),
)
"""Where a word is looked up, the first source first."""


def word_rows(catalog: Catalog) -> Rows:
    """Return one row for each word that can be explained, for programs."""
    rows: Rows = [
        {"word": word, "kind": source.kind, "topics": ", ".join(source.topics)}
        for source in SOURCES
        for word in source.words(catalog)
    ]
    rows += [{"word": word, "kind": kind, "topics": ""} for word, kind in word_kinds()]
    rows += [{"word": one, "kind": "error", "topics": ""} for one in error_words()]
    return rows


def word_list(catalog: Catalog, width: int = 80) -> RenderableType:
    """Return the words and topics for a terminal, with the command to go on with."""
    parts: list[RenderableType] = []
    for source in SOURCES:
        words = list(source.words(catalog))
        rows = [
            (f"{source.kind}s", ", ".join(words)),
            ("topics", ", ".join(source.topics)),
        ]
        parts.append(wrapping_table(rows, width))
        parts.append(Text(f"\ncostsim explain {words[0]} {source.topics[0]}"))
    parts += [
        Text(),
        wrapping_table([("terms", ", ".join(glossary_words()))], width),
        Text("\ncostsim explain 'idle timeout'\n"),
        wrapping_table([("columns", _tables_said())], width),
        Text("\ncostsim explain cold_start_fraction\ncostsim explain '$/MONTH'\n"),
        wrapping_table([("errors", ", ".join(error_kinds()))], width),
        Text(f"\ncostsim explain {next(iter(error_kinds()))}"),
        Text(f"costsim explain {ALL}"),
        Text(f"costsim explain '{EXIT_CODES}'"),
        Text("costsim explain 'the message of a command that failed'"),
    ]
    return Group(*parts)


def _tables_said() -> str:
    """Return whose columns are explained, since there are hundreds of them."""
    files = ", ".join(one for one in column_tables() if " " not in one)
    return (
        f"of {files}, and headings of all tables at the terminal: "
        f"docs/{COLUMNS_PAGE} has them"
    )


def explanation_record(explanation: Explanation) -> dict[str, object]:
    """Return an explanation as one object for programs."""
    example = explanation.example
    return {
        "platform": explanation.platform.name,
        "topic": explanation.topic,
        "facts": [asdict(fact) for fact in explanation.facts],
        "example": None if example is None else example_record(example),
        "no_example": explanation.no_example or None,
        "configuration": explanation.configuration or None,
    }


def explanation_rows(explanation: Explanation) -> Rows:
    """Return an explanation's facts, one a row, for programs."""
    first = {"platform": explanation.platform.name, "topic": explanation.topic}
    return [first | asdict(fact) for fact in explanation.facts]


def explanation_page(
    explanation: Explanation, width: int = 80, today: date | None = None
) -> RenderableType:
    """Return an explanation for a terminal.

    Parameters
    ----------
    explanation : Explanation
        From ``explain``.
    width : int
        Characters of a line.
    today : date, optional
        For the age of the sources; the date of the clock if left out.
    """
    platform, topic = explanation.platform, explanation.topic
    notes = Footnotes()
    parts: list[RenderableType] = [
        Text(
            f"{platform.title}: {platform.product}. {topic.capitalize()}", style="bold"
        ),
        Text(platform.summary),
    ]
    for section in dict.fromkeys(fact.section for fact in explanation.facts):
        chosen = [fact for fact in explanation.facts if fact.section == section]
        parts += [heading(section), _section(chosen, notes, width)]
        if section == LIFE:
            parts.append(heading("one life, worked out"))
            parts += _example(explanation, width)
    if explanation.configuration:
        text = Text(explanation.configuration.rstrip(), overflow="fold")
        parts += [heading("with the defaults"), text]
    day = today or datetime.now(UTC).date()
    others = [one for one in TOPICS if one != topic]
    more = f"{', '.join(others[:-1])} or {others[-1]}"
    parts += [
        heading("sources"),
        wrapping_table(notes.lines(day), width),
        Text(f"\nMore: costsim explain {platform.name} TOPIC, TOPIC being {more}."),
    ]
    return Group(*parts)


def _example(explanation: Explanation, width: int) -> list[RenderableType]:
    if explanation.example is None:
        return [Text(f"None: {explanation.no_example}.")]
    return example_parts(explanation.platform, explanation.example, width)


def _section(chosen: list[Fact], notes: Footnotes, width: int) -> RenderableType:
    """Return a section: what, and a sentence; an item is named once for all its facts."""
    rows: list[tuple[str, ...]] = []
    apart = chosen[0].section == LIFE and width >= NARROW
    previous = ""
    for fact in chosen:
        item = "" if fact.item == previous else fact.item
        previous = fact.item
        if apart:
            rows.append((item, fact.text, notes.cited(fact.note, fact).lstrip()))
        else:
            rows.append((item, notes.cited(sentences(fact.text, fact.note), fact)))
    return wrapping_table(rows, width)
