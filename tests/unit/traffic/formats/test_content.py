import gzip
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costsim.errors import TraceError
from costsim.traffic.formats.content import Content, Unreadable
from costsim.traffic.formats.shown import shown

ROWS = [{"a": i, "b": ["x]}", {"c": None}]} for i in range(3000)]
LAYOUTS = {
    "lines": "\n".join(json.dumps(row) for row in ROWS),
    "array": json.dumps(ROWS),
    "pretty array": json.dumps(ROWS, indent=2),
    "one after the other": "".join(json.dumps(row) for row in ROWS),
    "pretty, one after the other": "\n".join(json.dumps(r, indent=1) for r in ROWS),
}
ZSTD = {"codec": "zstd", "asbytes": True}


@pytest.fixture
def content(tmp_path):
    def of(data, name="requests.csv"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return Content(str(path))

    return of


def test_lines_come_without_their_ends_and_blank_ones_too(content):
    assert list(content(b"a\r\nb\n\nc").lines()) == ["a", "b", "", "c"]


def test_the_lines_of_an_old_mac_are_told_apart(content):
    assert list(content(b"a\rb\rc").lines()) == ["a", "b", "c"]


def test_a_byte_order_mark_is_taken_off_everywhere(content):
    file = content(b'\xef\xbb\xbf{"a": 1}\n')

    assert list(file.lines()) == ['{"a": 1}']
    assert file.head.text.startswith("{")
    assert list(file.objects()) == [(1, {"a": 1})]
    assert file.document() == {"a": 1}


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        lambda data: pa.compress(data, **ZSTD),
        lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]) + b"\0" * 99,
        lambda data: pa.compress(data[:9], **ZSTD) + pa.compress(data[9:], **ZSTD),
    ],
    ids=["plain", "gzip", "zstd", "two members", "two frames"],
)
def test_packed_files_are_unpacked_whatever_their_name(content, pack):
    lines = [f"{i},{i * i}" for i in range(50_000)]

    assert list(content(pack("\n".join(lines).encode())).lines()) == lines


def test_blocks_are_whole_lines_and_know_their_number(content):
    text = "".join(f"{i}\n" for i in range(400_000))

    blocks = list(content(text).blocks(2**19))

    assert len(blocks) > 2
    assert b"".join(block.data for block in blocks) == text.encode()
    assert [int(b.data.split(b"\n")[0]) + 1 for b in blocks] == [
        b.first_line for b in blocks
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_json_values_come_one_by_one_in_any_layout(content, layout):
    found = list(content(LAYOUTS[layout]).objects())

    assert [value for _, value in found] == ROWS
    assert [number for number, _ in found] == list(range(1, 3001))


def test_a_broken_line_comes_as_such_with_its_number(content):
    found = list(content('{"a": 1}\n\n{"a": \n{"a": 3}\n').objects())

    assert found == [(1, {"a": 1}), (3, Unreadable('{"a": ')), (4, {"a": 3})]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[\n{"a": 1},\n{"a": }\n]', 3, "is not valid JSON: Expecting value"),
        ('[{"a": 1},\n{"a": 2}', 2, "ends before its array is closed"),
        ('[{"a": 1}\n{"a": 2}]', 2, "is not valid JSON: a comma is missing"),
        ('[{"a": 1},\n{"a": "2', 2, "is not valid JSON: Unterminated string"),
    ],
)
def test_a_broken_array_is_refused_at_its_line(content, text, line, message):
    with pytest.raises(TraceError, match=message) as caught:
        list(content(text).objects())
    assert caught.value.line == line


def test_a_document_that_is_no_json_is_refused_at_its_line(content):
    with pytest.raises(TraceError, match="is not valid JSON") as caught:
        content('{"a":\n}').document()
    assert caught.value.line == 2


def test_deep_nesting_is_refused(content):
    with pytest.raises(TraceError, match="nested too deeply"):
        content("[" * 100_000).document()
    with pytest.raises(TraceError, match="nested too deeply"):
        list(content("[" * 100_000).objects())


def test_a_head_has_whole_lines_and_the_first_value(content):
    head = content(
        "".join(f'{{"a": {i}}}\n' for i in range(20_000)), "x.JSONL.gz2"
    ).head

    assert head.text.endswith("}\n")
    assert head.lines[-1] == head.text.split("\n")[-2]
    assert head.json == {"a": 0}
    assert content('{\n "a": 1\n}\n').head.json == {"a": 1}
    assert content("a,b\n1,2").head.json is None
    assert content(gzip.compress(b"a,b\n"), "x.CSV.gz").head.suffix == ".csv"


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_tables_come_in_batches(tmp_path, kind):
    table = pa.table({"a": range(1000), "b": ["x"] * 1000})
    path = tmp_path / "requests.dat"
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as w,
        ):
            w.write_table(table)

    content = Content(str(path))

    assert content.head.columns == ("a", "b")
    batches = list(content.table_batches(["a"], size=300))
    assert sum(batch.num_rows for batch in batches) == 1000
    assert batches[0].schema.names == ["a"]
    with pytest.raises(TraceError, match="file, where text is expected"):
        next(content.lines())


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TraceError, match=r"nothing\.csv: no such file"):
        Content(str(tmp_path / "nothing.csv"))


def test_a_folder_or_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(TraceError, match="is not a regular file"):
        Content(str(tmp_path))
    with pytest.raises(TraceError, match="is not a regular file"):
        Content(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, lambda data: pa.compress(data, **ZSTD)],
    ids=["gzip", "zstd"],
)
def test_a_bomb_is_refused_by_its_expansion(content, pack):
    bomb = pack(b"arrival\n" + b"0,1\n" * 20_000_000)

    with pytest.raises(TraceError, match="unpacks to more than 200 times its size"):
        for _ in content(bomb).blocks():
            pass


def test_a_regular_file_that_is_small_may_expand_a_lot(content):
    packed = gzip.compress(b"arrival\n" + b"0\n" * 200_000)

    assert len(list(content(packed).lines())) == 200_001


@pytest.mark.parametrize("cut", [1, 6, 1000])
@pytest.mark.parametrize(
    "pack",
    [gzip.compress, lambda data: pa.compress(data, **ZSTD)],
    ids=["gzip", "zstd"],
)
def test_a_file_that_is_cut_off_is_refused_with_its_line(content, pack, cut):
    packed = pack("".join(f"{i * i}\n" for i in range(100_000)).encode())

    with pytest.raises(TraceError, match="the packed file ends too early") as caught:
        list(content(packed[:-cut]).lines())
    assert 70_000 < caught.value.line <= 100_001


def test_a_line_without_end_is_refused(content):
    file = content(b"arrival\n" + b"0" * (2**25))

    with pytest.raises(TraceError, match="is longer than 16,777,216 bytes") as caught:
        list(file.lines())
    assert caught.value.line == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("arrival\n0\n")
    path.chmod(0)

    with pytest.raises(TraceError, match="cannot be read: Permission denied"):
        Content(str(path))


def test_what_a_message_shows_is_short_and_printable():
    assert shown("plain") == "'plain'"
    assert shown("\x1b[31mred") == "'\N{REPLACEMENT CHARACTER}[31mred'"
    assert len(shown("x" * 1000)) == 42
