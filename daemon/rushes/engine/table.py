"""A table of shots as spreadsheets save it: UTF-8 or UTF-16; commas, semicolons or tabs; columns in any order.

Rows are counted as a spreadsheet counts them; the header is row 1.
"""

from __future__ import annotations

import codecs
import csv
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rushes.store.durable import fault_of
from rushes_otio.cells import EDITABLE, EXPORTED, mark, unguarded
from rushes_otio.errors import BadRequest

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 16_384  # as many as a spreadsheet has
_HEADER = 1 << 16  # characters, the header among them

_ID, _NAME, _MARK = "shot id", "shot", EXPORTED.casefold()
_FIELDS = {column.casefold(): name for column, name in EDITABLE.items()}
_KNOWN = (_ID, _NAME, _MARK, *_FIELDS)
_AGAIN = "save the table again as CSV, with a spreadsheet"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table. `shot` is an id, None in a table that has only names; `cells` are the editable columns
    that the table has, by what they set; `as_exported`: nobody has touched them."""

    number: int
    shot: str | None
    name: str
    cells: dict[str, str]
    as_exported: bool

    @property
    def is_blank(self) -> bool:
        """Whether it sets nothing."""
        return not any(text.strip() for text in self.cells.values())


def read_table(path: Path) -> list[Row]:
    """The rows of a table but for empty ones. BadRequest names the byte, the row or the column that is wrong."""
    with about(path):
        text = _decoded(_read(path))
        try:
            records = csv.reader(_lines(text), delimiter=_delimiter(text), strict=True)
            header = _Header.of(next(records, []))
            return [header.row(number, cells) for number, cells in _numbered(records) if any(cells)]
        except csv.Error as e:
            raise BadRequest(f"row 1: {e}", remedy=_AGAIN) from None


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Requests that are refused inside name this file."""
    try:
        yield
    except BadRequest as fault:
        fault.where = fault.where or str(path)
        raise


def _read(path: Path) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise BadRequest("this is not a file", remedy="name the table: shots.csv")
        if found.st_size > MAX_BYTES:
            raise BadRequest(
                f"the table has {found.st_size:,} bytes; the limit is {MAX_BYTES:,}",
                remedy="leave out columns that did not change",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise BadRequest("there is no such file", remedy="write one: rushes export FILM shots.csv") from None
    except OSError as e:
        raise fault_of(e, path) from None


def _decoded(data: bytes) -> str:
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if marked else "utf-8"
    remedy = "save the table as “CSV UTF-8”, or as “Unicode text”"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as e:
        raise BadRequest(f"byte {e.start} is not {encoding.upper()}", remedy=remedy) from None
    if "\0" in text:
        at = len(text.partition("\0")[0].encode(encoding))
        raise BadRequest(f"byte {at} is 0, which no text holds", remedy=remedy)
    return text.removeprefix("\ufeff")


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")  # line ends inside cells stay as they are


def _named(cell: str) -> str:
    return " ".join(cell.split()).casefold()


def _delimiter(text: str) -> str:
    """The one that makes most columns we know of the header."""

    def known(delimiter: str) -> int:
        header = next(csv.reader(_lines(text[:_HEADER]), delimiter=delimiter), [])
        return sum(_named(cell) in _KNOWN for cell in header)

    return max(",;\t", key=known)


@dataclass(frozen=True, slots=True)
class _Header:
    """Where in a row the columns stand that we know."""

    at: dict[str, int]
    width: int

    @classmethod
    def of(cls, cells: list[str]) -> _Header:
        names = [_named(cell) for cell in cells[: MAX_COLUMNS + 1]]
        if len(names) > MAX_COLUMNS:
            raise BadRequest(f"the limit is {MAX_COLUMNS:,} columns; the table has more", remedy="leave some out")
        if not {_ID, _NAME} & set(names):
            raise BadRequest(
                "row 1 names neither a column Shot ID nor Shot",
                remedy="take the first row from a new list: rushes export FILM shots.csv",
            )
        if not _FIELDS.keys() & set(names):
            raise BadRequest("row 1 names no column that can be set", remedy="columns: " + ", ".join(EDITABLE))
        twice = [name for name in _KNOWN if names.count(name) > 1]
        if twice:
            raise BadRequest(f"row 1 names the column {twice[0]!r} twice", remedy="remove one of the two")
        return cls({name: names.index(name) for name in _KNOWN if name in names}, len(names))

    def row(self, number: int, cells: list[str]) -> Row:
        if any(cells[self.width :]):
            raise BadRequest(
                f"row {number} has {len(cells)} cells, row 1 only {self.width}",
                remedy="put quotes around texts that hold the delimiter",
            )
        # Spreadsheets leave out empty cells at the end of a row.
        said = {name: unguarded(cells[at]) if at < len(cells) else "" for name, at in self.at.items()}
        texts = {name: said[column] for column, name in _FIELDS.items() if column in said}
        shot = said[_ID].strip() if _ID in said else None
        whole = shot is not None and len(texts) == len(_FIELDS)
        as_exported = whole and said.get(_MARK) == mark(shot or "", texts)
        return Row(number, shot, said.get(_NAME, "").strip(), texts, as_exported)


def _numbered(records: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 1
    try:
        for number, cells in enumerate(records, 2):
            if number > MAX_ROWS + 1:
                raise BadRequest(
                    f"the table has more than {MAX_ROWS:,} rows; that is the limit", remedy="split it"
                )
            yield number, cells
    except csv.Error as e:
        raise BadRequest(f"row {number + 1}: {e}", remedy=_AGAIN) from None
