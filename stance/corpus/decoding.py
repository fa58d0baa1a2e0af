"""Decoding. The bytes of a text file enter; text without characters that no writer could store again leaves."""

from __future__ import annotations

import codecs
import re
from typing import Final

SAMPLE_BYTES: Final = 1 << 16
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNATURES: Final = (
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"\x7fELF",
    b"GIF8",
    b"\xd0\xcf\x11\xe0",
)
_CONTROLS: Final = bytes(range(8)) + bytes(range(14, 27)) + bytes(range(28, 32))
_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")


def find_encoding(sample: bytes) -> str | None:
    """Return the encoding of a file from its first bytes, or None when they are no text.

    A byte-order mark decides; then UTF-8; then UTF-16 by its zero bytes; then the likeliest legacy code page.

    >>> find_encoding("café".encode()), find_encoding("José said".encode("latin-1")), find_encoding(b"PK\\x03\\x04")
    ('utf-8', 'cp1252', None)
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    if sample.startswith(_SIGNATURES):
        return None
    if wide := _wide(sample):
        return wide
    if len(sample) - len(sample.translate(None, _CONTROLS)) > len(sample) // 20 + 2:
        return None
    text = sample.decode("utf-8", "replace").removesuffix("\ufffd")  # the sample may end inside a character
    broken = text.count("\ufffd")
    if not broken or broken <= sum(character > "\x7f" for character in text) - broken:
        return "utf-8"
    return _legacy(sample)


def storable(text: str) -> str:
    """Return the text without NUL characters, lone surrogates replaced by U+FFFD.

    >>> storable("a\\x00b\\ud800")
    'ab\\ufffd'
    """
    return _UNSTORABLE.sub(lambda found: "" if found.group() == "\x00" else "\ufffd", text)


def _wide(sample: bytes) -> str | None:
    """Tell UTF-16 without a mark: in text with Latin letters or spaces every other byte is often zero."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if even + odd < max(len(sample) // 20, 2) or min(even, odd) * 10 > max(even, odd):
        return None
    name = "utf-16-be" if even > odd else "utf-16-le"
    text = sample[: len(sample) // 2 * 2].decode(name, "replace")
    return name if sum(map(str.isprintable, text)) > 0.8 * len(text) else None


def _legacy(sample: bytes) -> str:
    """Tell Western (few letters above ASCII) from Cyrillic and Arabic code pages (nearly all of them are)."""
    from charset_normalizer import from_bytes

    high = sum(byte >= 0xC0 for byte in sample)
    if high < sum(byte < 0x80 and chr(byte).isalpha() for byte in sample):
        return "cp1252"
    best = from_bytes(sample, cp_isolation=["cp1251", "cp1256"]).best()
    return best.encoding if best and best.encoding == "cp1256" else "cp1251"
