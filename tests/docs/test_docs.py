"""What the documentation says is what the program does.

Commands are run and their output compared, code and scenarios are run, links are followed.
After a change of output, ``python docs/generate.py`` writes the new one.
"""

import importlib.util
import re
import shlex
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from costsim.catalog.platform import load_catalog
from costsim.cli.app import app
from costsim.scenario.deployment import resolve
from costsim.scenario.load import load_scenario
from costsim.scenario.schema import Scenario

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
TEXT = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in PAGES}
SOURCES = [
    *ROOT.glob("costsim/**/*.py"),
    *ROOT.glob("tests/**/*.py"),
]

AGES = [(r" +\d+d$", " AGE"), (r"\(\d+d\)", "(AGE)"), (r"\d+ days old", "AGE old")]
VERSION = (r"^costsim \d+\.\d+\S*", "costsim VERSION")
"""What may differ from what is shown: how old a price is today, and the version."""


def load_script():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_script()


def blocks(language):
    """Return every fenced block of a language, by its page and number."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {
        f"{name}-{number}": block
        for name, text in TEXT.items()
        for number, block in enumerate(pattern.findall(text))
    }


def masked(text):
    for pattern, word in [*AGES, VERSION]:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


def parametrize(argument, values):
    return pytest.mark.parametrize(argument, list(values.values()), ids=list(values))


# Commands, code, scenarios


@parametrize("page", {name: text for name, text in TEXT.items() if "\n$ " in text})
def test_commands_print_what_is_shown(page):
    assert masked(generate.with_outputs(page)) == masked(page)


@parametrize("code", blocks("python"))
def test_python_code_runs(code, capsys):
    with chdir(ROOT):
        exec(compile(code, "documentation", "exec"), {})

    assert capsys.readouterr().out


YAML = blocks("yaml")


@parametrize("text", {k: v for k, v in YAML.items() if "deployments:" in v})
def test_scenarios_can_be_run(text, tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text(text, "utf-8")

    scenario = load_scenario(path)
    resolution = resolve(scenario, load_catalog())

    assert len(resolution.deployments) == len(scenario.deployments)


_WORKFLOW = "\njobs:\n"
"""What only a workflow of GitHub Actions has."""


@parametrize("text", {k: v for k, v in YAML.items() if _WORKFLOW in v})
def test_commands_of_workflows_have_their_options(text):
    steps = yaml.safe_load(text)["jobs"]["cost"]["steps"]
    lines = [line for step in steps for line in step.get("run", "").splitlines()]
    ours = [shlex.split(line.split(" > ")[0]) for line in lines if "costsim " in line]
    used = [
        (words[1], word)
        for words in ours
        if words[0] == "costsim"
        for word in words
        if word.startswith("--")
    ]

    commands = get_command(app).commands
    assert used
    assert [
        (command, option)
        for command, option in used
        if option not in {o for p in commands[command].params for o in p.opts}
    ] == []


@parametrize(
    "text",
    {k: v for k, v in YAML.items() if "deployments:" not in v and _WORKFLOW not in v},
)
def test_files_of_prices_change_the_catalog(text, tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text(text, "utf-8")

    assert load_catalog(path) != load_catalog()


def test_the_example_of_a_platform_can_be_used_as_it_stands(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(generate.example_platform(), "utf-8")
    keys = {"name": "acme", "horizon": "1d", "setup": "20s", "service": {"time": "2s"}}
    deployment = {"name": "acme", "platform": "acme", "gpu": "L4", "tier": "spot"}

    resolution = resolve(
        Scenario.model_validate(
            {
                **keys,
                "traffic": {"streams": [{"name": "users", "rate": "1/h"}]},
                "deployments": [deployment],
            }
        ),
        load_catalog(path),
    )

    (acme,) = resolution.deployments
    assert acme.pool.max_replicas == 5
    assert acme.tariff.usd_per_hour == pytest.approx(0.5 * (0.72 + 0.0072))


def test_every_command_stands_in_the_readme():
    commands = get_command(app).commands

    assert [
        name for name in commands if f"`costsim {name}" not in TEXT["README.md"]
    ] == []
    assert "run" in commands


@pytest.mark.parametrize("part", ["run", "test"])
def test_lines_for_a_bare_machine_are_one_line_each(part):
    found = re.findall(
        rf"^<!-- ci: {part} -->\n```sh\n(.*?)^```$", TEXT["README.md"], 24
    )

    assert [line.count("\n") for line in found] == [1]
    assert found[0].startswith("python3 -m venv .venv && ")


# The reference of scenario files


def test_the_scenario_reference_is_up_to_date():
    assert generate.scenario_page() == TEXT["docs/scenario.md"]


def test_the_list_of_formats_is_up_to_date():
    page = TEXT["docs/traffic.md"]

    assert generate.with_formats(page) == page
    assert "`mooncake`" in page


def test_the_columns_of_our_rows_are_up_to_date():
    page = TEXT["docs/columns.md"]

    assert generate.with_columns(page) == page
    assert page.count("<!-- columns of ") == len(generate.WITH_COLUMNS)
    assert "| `peak_replicas` | replicas |" in page


def test_every_key_of_a_scenario_is_documented():
    schema = Scenario.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    keys = {key for part in parts for key in part.get("properties", {})}

    missing = [key for key in keys if f"`{key}`" not in TEXT["docs/scenario.md"]]

    assert missing == []
    assert {"scaledown_window", "price"} & keys == {"price"}


# Links, paths, clauses


def anchors(text):
    """Return the anchors that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles
    }


def is_broken(page, link):
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    if not target.exists():
        return True
    return bool(anchor) and anchor not in anchors(target.read_text("utf-8"))


@pytest.mark.parametrize("page", TEXT)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", TEXT[page])

    assert [link for link in links if is_broken(page, link)] == []


@pytest.mark.parametrize("page", TEXT)
def test_paths_that_are_named_exist(page):
    named = set(re.findall(r"`(\.?(?:[A-Za-z_]\w*/)+[\w.]*)`", TEXT[page]))
    places = (ROOT, ROOT / "costsim", ROOT / "tests")

    missing = [
        path
        for path in named
        if not path.isupper()  # a heading: COST/MO
        and "NAME" not in path
        and not any((place / path).exists() for place in places)
    ]

    assert missing == []


def test_clauses_that_the_code_cites_stand_in_the_model():
    model = TEXT["docs/model.md"]
    clauses = set(re.findall(r"^(?:\*\*|## )(\d+(?:\.\d+)?)\b", model, re.MULTILINE))
    code = "\n".join(source.read_text("utf-8") for source in SOURCES)
    cited = set(re.findall(r"model\.md (?:sections? )?(\d+(?:\.\d+)?)", code))

    assert cited - clauses == set()
    assert {"4.9", "8", "9.1"} <= cited


def test_every_page_is_in_the_contents_of_the_site():
    index = (ROOT / "docs/index.md").read_text("utf-8").splitlines()
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}

    assert sorted(pages) == sorted(line for line in index if line in pages)
