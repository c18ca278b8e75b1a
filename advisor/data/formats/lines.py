"""The lines of a text file, decoded strictly, hashed on the way, with the place of the first bad byte."""

import hashlib
import io
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from advisor.errors import DataError

LONGEST_LINE = 16 << 20
"""Bytes in one line, and characters in one CSV field: a longer one is no text to classify."""
_HEAD = 1 << 16
_CHUNK = 1 << 20
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x1b\x00"))
_MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file; save the sheet as CSV (UTF-8)",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"BZh": "compressed with bzip2; unpack it first",
    b"\xfd7zXZ": "compressed with xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it first",
    b"PAR1": "a Parquet file; name it *.parquet",
    b"%PDF": "a PDF; a table of texts and labels is needed (CSV, TSV, JSONL, JSON, CoNLL or Parquet)",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}


class _Hashing(io.RawIOBase):
    """A raw file that feeds what is read from it to a digest."""

    def __init__(self, raw: io.FileIO | BinaryIO) -> None:
        self._raw = raw
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        count = self._raw.readinto(buffer) or 0  # type: ignore[union-attr]
        self.digest.update(memoryview(buffer)[:count])
        return count


class TextFile:
    """A UTF-8 text file open for one pass.

    Args:
        path: a regular file.
        stream: its bytes where they come from elsewhere, and ``path`` is for messages alone.

    Raises:
        DataError: it is absent, unreadable, empty, UTF-16, compressed or no text at all.
    """

    def __init__(self, path: Path, stream: BinaryIO | None = None) -> None:
        self.path = path
        self.line = 0
        """The number of the last line handed out, from 1."""
        raw = stream or open_regular(path)
        self._hashing = _Hashing(raw)
        self._file = io.BufferedReader(self._hashing, buffer_size=_CHUNK)
        self._raw = raw
        self._mixed = False
        try:
            self._head = self._file.peek(_HEAD)[:_HEAD]
            self._refuse_other_kinds()
        except OSError as failure:
            raise DataError(f"{path}: cannot be read ({failure.strerror})") from None
        except DataError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; harmless when done twice."""
        self._file.close()
        self._raw.close()

    def sha256(self) -> str:
        """Return the SHA-256 of the whole file, in hexadecimal, reading whatever is left of it."""
        while self._file.read(_CHUNK):
            pass
        return self._hashing.digest.hexdigest()

    def first_line(self) -> str:
        """Return the first line that is not blank, without consuming it; damaged bytes are replaced."""
        return next((line for line in self.head.replace("\r", "\n").split("\n") if line.strip()), "")

    @property
    def head(self) -> str:
        """The first 64 KB, without consuming them; damaged bytes are replaced."""
        return self._head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")

    def read(self, most: int) -> str:
        """Return the whole text.

        Raises:
            DataError: it has more than ``most`` bytes, a NUL byte, or is not UTF-8.
        """
        content = self._file.read(most + 1)
        if len(content) > most:
            raise DataError(
                f"{self.path}: one JSON document of more than {most >> 20} MB; save it as JSON Lines or Parquet"
            )
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = ""
        if not text or "\0" in text:
            for raw in io.BytesIO(content):
                self.line += 1
                self._decode(raw)
        return text

    def lines(self) -> Iterator[str]:
        r"""Yield the lines with their line ends; only ``\n`` (or, in files without it, ``\r``) ends a line.

        Raises:
            DataError: a NUL byte, bytes that are not UTF-8, or a line above `LONGEST_LINE`.
        """
        mac = b"\r" in self._head[:-1] and b"\n" not in self._head
        for raw in self._split_at_returns() if mac else self._split_at_newlines():
            self.line += 1
            if self.line == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            yield self._decode(raw)

    def _split_at_newlines(self) -> Iterator[bytes]:
        readline = self._file.readline
        try:
            while raw := readline(LONGEST_LINE + 1):
                if len(raw) > LONGEST_LINE:
                    self._too_long()
                yield raw
        except OSError as failure:
            raise DataError(f"{self.path}: cannot be read ({failure.strerror})") from None

    def _split_at_returns(self) -> Iterator[bytes]:
        rest = b""
        while chunk := self._file.read(_CHUNK):
            *whole, rest = (rest + chunk).split(b"\r")
            for line in whole:
                yield line + b"\n"
            if len(rest) > LONGEST_LINE:
                self._too_long()
        if rest:
            yield rest

    def _too_long(self) -> NoReturn:
        raise DataError(
            f"{self.path}: line {self.line + 1}: longer than {LONGEST_LINE >> 20} MB, "
            "which is no single text; check the line ends or shorten it"
        )

    def _decode(self, raw: bytes) -> str:
        if b"\0" in raw:
            count = 1 + self._count(lambda line: b"\0" in line)
            raise DataError(
                f"{self.path}: line {self.line}: a NUL byte{and_more(count, 'line')}; "
                "the file is damaged or not text, export it again as UTF-8"
            )
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as failure:
            self._not_utf8(raw, failure)
        if not self._mixed and not text.isascii():
            self._mixed = True
        return text

    def _not_utf8(self, raw: bytes, failure: UnicodeDecodeError) -> NoReturn:
        bad = raw[failure.start]
        column = len(raw[: failure.start].decode("utf-8", "replace")) + 1
        guess = bytes([bad]).decode("cp1252", "ignore")
        meant = f" ('{guess}' in Windows-1252)" if guess.isprintable() and guess else ""
        count = 1 + self._count(_not_utf8)
        mixed = ", while other lines are UTF-8: the file mixes encodings" if self._mixed else ""
        raise DataError(
            f"{self.path}: line {self.line}, column {column}: byte 0x{bad:02X}{meant} is not UTF-8"
            f"{and_more(count, 'line')}{mixed}; save the file as UTF-8"
        )

    def _count(self, wrong: Callable[[bytes], bool]) -> int:
        """Return how many of the lines that follow are wrong in the same way."""
        try:
            return sum(wrong(raw) for raw in iter(lambda: self._file.readline(LONGEST_LINE), b""))
        except OSError:
            return 0

    def _refuse_other_kinds(self) -> None:
        head = self._head
        if not head:
            raise DataError(f"{self.path}: the file is empty")
        for magic, what in _MAGIC.items():
            if head.startswith(magic):
                raise DataError(f"{self.path}: this is {what}")
        if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
            raise DataError(f"{self.path}: this is UTF-32 text; save it as UTF-8")
        if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_utf16(head):
            raise DataError(f"{self.path}: this is UTF-16 text; save it as UTF-8 ('CSV UTF-8' in Excel)")
        controls = len(head) - len(head.translate(None, _CONTROL))
        if controls > max(16, 0.05 * len(head)) or head.count(0) > max(1, 0.1 * len(head)):
            raise DataError(
                f"{self.path}: not a text file; CSV, TSV, JSONL, JSON, CoNLL or Parquet (*.parquet) can be read"
            )


def open_regular(path: Path) -> io.FileIO:
    """Open a regular file for reading bytes.

    Raises:
        DataError: no such file, a folder, a pipe or device, or no permission.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{path}: not a regular file; give a data file or a folder with train.*")
        return io.FileIO(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except PermissionError:
        raise DataError(f"{path}: permission denied; make it readable (chmod +r)") from None
    except (OSError, ValueError) as failure:
        raise DataError(f"{path}: cannot be read ({getattr(failure, 'strerror', None) or failure})") from None


def and_more(count: int, unit: str) -> str:
    """Return `` (and N more lines)`` for a fault found ``count`` times, nothing when found once."""
    return "" if count < 2 else f" (and {count - 1:,} more {unit}{'s' if count > 2 else ''})"


def _looks_utf16(head: bytes) -> bool:
    """Tell whether every other byte is mostly NUL, as in UTF-16 text of Latin letters."""
    pairs = len(head) // 2
    if pairs < 4:
        return False
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    return max(even, odd) > 0.7 * pairs and min(even, odd) < 0.1 * pairs


def _not_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False
