import gzip
import os

import pytest

from costsim.errors import TraceError
from costsim.traffic.formats import text
from costsim.traffic.formats.text import open_lines, shown


def lines_of(path):
    with open_lines(str(path)) as lines:
        return list(lines)


def test_lines_keep_their_ends(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\r\nb\nc")

    assert lines_of(path) == ["a\r\n", "b\n", "c"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TraceError, match=r"nothing\.csv: no such file"):
        lines_of(tmp_path / "nothing.csv")


def test_a_folder_or_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(TraceError, match="is not a regular file"):
        lines_of(tmp_path)
    with pytest.raises(TraceError, match="is not a regular file"):
        lines_of(tmp_path / "pipe")


def test_a_gzip_bomb_is_refused_by_its_expansion(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"arrival\n")
        file.writelines(b"0," * 2**18 + b"\n" for _ in range(160))

    with pytest.raises(TraceError, match="unpacks to more than 200 times its size"):
        lines_of(path)


def test_a_regular_file_that_is_small_may_expand_a_lot(tmp_path):
    path = tmp_path / "regular.csv.gz"
    path.write_bytes(gzip.compress(b"arrival\n" + b"0\n" * 200_000))

    assert len(lines_of(path)) == 200_001


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_file_larger_than_the_bound_is_refused(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(text, "MAX_BYTES", 2**20)
    path = tmp_path / "large.csv"
    path.write_bytes(pack(b"arrival\n" + b"0\n" * 2**20))

    with pytest.raises(TraceError, match=r"is larger than 0\.000976562 GiB; split it"):
        lines_of(path)


def test_a_line_without_end_is_refused(tmp_path):
    path = tmp_path / "long.csv"
    path.write_bytes(b"arrival\n" + b"0" * (2**20 + 1))

    with pytest.raises(
        TraceError, match="is longer than 1,048,576 characters"
    ) as caught:
        lines_of(path)
    assert caught.value.line == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("arrival\n0\n")
    path.chmod(0)

    with pytest.raises(TraceError, match="cannot be read: Permission denied"):
        lines_of(path)


def test_what_a_message_shows_is_short_and_printable():
    assert shown("plain") == "'plain'"
    assert shown("\x1b[31mred") == "'\N{REPLACEMENT CHARACTER}[31mred'"
    assert len(shown("x" * 1000)) == 42
