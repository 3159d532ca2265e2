"""A file of the user's as text, or one sentence that says why it can't be used and what to do."""

from __future__ import annotations

import codecs
import shlex
from pathlib import Path

from lstmsym.documents.limits import CHARACTERS, DocumentError
from lstmsym.mistakes import nearest

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The byte order marks that are understood."""
FORMATS = {
    b"%PDF": "a PDF", b"PK\x03\x04": "a ZIP archive or an Office document", b"\x1f\x8b": "compressed",
    b"\x89PNG": "an image", b"\xff\xd8\xff": "an image", b"GIF8": "an image",
    b"\xd0\xcf\x11\xe0": "an Office document",
}  # fmt: skip
"""How files begin that hold documents in another form."""
SOURCES = (".md", ".tex", ".txt", ".py")


def lines_ended(text: str) -> str:
    """A text without a byte order mark, its lines ended in one way; none of them is moved."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def text_of(path: str) -> str:
    """The text of a document.

    Raises:
        DocumentError: it can't be used at all.
    """
    file = Path(path)
    if file.is_dir():
        inside = sorted(p.name for p in file.iterdir() if p.suffix in SOURCES)
        example = f", such as {file / inside[0]}" if inside else ""
        raise DocumentError(f"{path}: this is a folder: give a file{example}")
    if not file.exists():
        close = nearest(file.name, [name for name in _names(file.parent) if name != file.name])
        hint = f"did you mean {file.with_name(close)}?" if close else "check the path"
        raise DocumentError(f"{path}: no such file; {hint}")
    if not file.is_file():
        raise DocumentError(f"{path}: no regular file: save it as text first")
    if file.stat().st_size > 4 * CHARACTERS:
        raise DocumentError(f"{path}: {file.stat().st_size} bytes are too many: give the part in question")
    if file.suffix == ".ipynb":
        quoted = shlex.quote(path)
        raise DocumentError(
            f"{path}: a notebook is not read: export it, jupyter nbconvert --to markdown {quoted}"
        )
    text = decoded(file.read_bytes(), path)
    if not text.strip():
        raise DocumentError(f"{path}: the file is empty: give a text with equations or code")
    return text


def _names(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir()] if folder.is_dir() else []


def decoded(data: bytes, path: str) -> str:
    """Bytes as text: UTF-8, or what a byte order mark says.

    Raises:
        DocumentError: they are no text, or in another encoding.
    """
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "")
    for start, what in FORMATS.items():
        if data.startswith(start):
            raise DocumentError(f"{path}: this is {what}: give the source as Markdown, LaTeX or plain text")
    if not encoding and b"\0" in data:
        raise DocumentError(f"{path}: {_not_text(data, path)}")
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"byte {data[error.start]:#04x} on line {line}"
        raise DocumentError(
            f"{path}: {where} is no {(encoding or 'utf-8').upper()}: {_converted(path, _guess(data))}"
        ) from None


def _not_text(data: bytes, path: str) -> str:
    """What bytes with zeros among them are: UTF-16 has one in nearly every second place."""
    for first, name in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        half = data[first::2]
        if half.count(0) > 0.4 * len(half) and data[1 - first :: 2].count(0) == 0:
            return f"this seems to be {name} without a byte order mark: {_converted(path, name)}"
    return "this is a binary file: give the source as Markdown, LaTeX or plain text"


def _guess(data: bytes) -> str:
    """An encoding in which the bytes make sense: Chinese, if nearly all are pairs of its, else Western."""
    foreign = [c for c in data.decode("gb2312", errors="replace") if ord(c) > 127]
    return "GB18030" if foreign.count("\ufffd") < 0.05 * len(foreign) else "WINDOWS-1252"


def _converted(path: str, encoding: str) -> str:
    """The command that mends it."""
    new = shlex.quote(f"utf8-{Path(path).name}")
    return f"convert it, iconv -f {encoding} -t UTF-8 {shlex.quote(path)} > {new}"
