"""Reading takes every format, and passes over what is broken with its place and a reason."""

from __future__ import annotations

import csv
import json
import os
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stance.corpus.articles import SkippedInput, read_articles
from stance.corpus.dates import iso_date
from stance.errors import DataError
from stance.records import Article

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
TEXT = "The envoys met in Doha on Monday. They will meet again, an aide said."


def read(*paths: Path) -> tuple[list[Article], list[SkippedInput]]:
    skipped: list[SkippedInput] = []
    return list(read_articles(paths, on_skip=skipped.append)), skipped


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_txt_with_title_and_date(tmp_path):
    path = write(tmp_path / "a.txt", f"Skip to content\n\nEnvoys meet in Doha\n\n02 September 2021\n\n{TEXT}\n")
    [article], skipped = read(path)
    assert (article.title, article.date, article.source) == ("Envoys meet in Doha", "2021-09-02", str(path))
    assert TEXT in article.text
    assert not skipped


@pytest.mark.parametrize(
    "text", [TEXT, f"{TEXT}\n\nMore was not said.", "The envoys, who\nmet in Doha on\nMonday, left.", "Only a headline"]
)
def test_txt_without_a_plain_title_has_none(tmp_path, text):
    [article], _ = read(write(tmp_path / "a.txt", text))
    assert article.title is None
    assert article.date is None


def test_html_loses_its_boilerplate(tmp_path):
    page = (
        "<html><head><title>Envoys meet</title><meta property='og:site_name' content='The Example'>"
        "<meta property='article:published_time' content='2021-08-19T10:05:00Z'>"
        "<link rel='canonical' href='https://example.org/envoys'></head><body><nav><a href='/'>Home</a></nav>"
        f"<article><h1>Envoys meet</h1><p>{TEXT * 3}</p><p>{TEXT * 2} Nothing else was said.</p></article>"
        "<footer>All rights reserved</footer></body></html>"
    )
    [article], _ = read(write(tmp_path / "a.html", page))
    assert (article.title, article.date, article.outlet) == ("Envoys meet", "2021-08-19", "The Example")
    assert article.url == "https://example.org/envoys"
    assert "Nothing else was said." in article.text
    assert "Home" not in article.text
    assert "rights reserved" not in article.text


def test_jsonl_takes_synonyms_and_names_bad_lines(tmp_path):
    rows = [
        json.dumps(
            {"headline": "T", "body": TEXT, "publishedAt": "Aug. 19, 2021", "source": {"name": "O"}, "link": "u"}
        ),
        '{"text": "half',
        "[1]",
        "",
        '{"title": "no text here"}',
        '{"text": 7}',
        '{"text": "  "}',
        "[" * 100_000,
        '{"text": "a\\u0000b \\ud800 c"}',
    ]
    path = write(tmp_path / "a.jsonl", "\n".join(rows))
    articles, skipped = read(path)
    assert articles[0] == Article(TEXT, "T", "2021-08-19", "O", "u", source=f"{path}:1")
    assert articles[1].text == "ab \ufffd c"
    assert [skip.where for skip in skipped] == [f"{path}:{line}" for line in (2, 3, 5, 6, 7, 8)]
    assert "'title'" in skipped[2].reason
    with pytest.raises(DataError, match=r"a\.jsonl:2: not valid JSON"):
        list(read_articles([path], strict=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        rows = csv.writer(file, delimiter=delimiter)
        rows.writerow(["Headline", "Article Text", "Date", "Extra"])
        rows.writerow(["T", f"{TEXT}\n\n“Quoted, too.”", "19.08.2021", "x"])
        rows.writerow(["short row"])
        rows.writerow(["U", "y" * 300_000, "", ""])
    articles, [skip] = read(path)
    assert [article.title for article in articles] == ["T", "U"]
    assert articles[0].date == "2021-08-19"
    assert "Quoted, too" in articles[0].text
    assert skip.where == f"{path}:5"


def test_parquet_is_read_across_row_groups(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "content": [f"{TEXT} {index}" for index in range(25)] + [None],
            "published": [datetime(2021, 8, 19, 23)] * 26,
            "unused": [[1]] * 26,
        }
    )
    pq.write_table(table, path, row_group_size=10)
    articles, [skip] = read(path)
    assert [article.text for article in articles] == table["content"].to_pylist()[:25]
    assert articles[0].date == "2021-08-19"
    assert skip == SkippedInput(f"{path}:26", "no text")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_table_without_text_is_one_error_that_lists_the_columns(tmp_path, name):
    path = tmp_path / name
    if name.endswith("csv"):
        write(path, "headline,day\nT,1\nU,2\n")
    else:
        pq.write_table(pa.table({"headline": ["T"], "day": [1]}), path)
    with pytest.raises(DataError, match=r"no text column; found 'headline', 'day'") as error:
        list(read_articles([path]))
    assert str(path) in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_encodings(tmp_path, encoding):
    text = f"José and Zoë said: {TEXT}"
    [article], _ = read(write(tmp_path / "a.txt", text.encode(encoding)))
    assert article.text == text


def test_legacy_cyrillic(tmp_path):
    text = "Представители движения прибыли в Москву на переговоры, сообщил министр в четверг."
    [article], _ = read(write(tmp_path / "a.txt", text.encode("cp1251")))
    assert article.text == text


def test_right_to_left_nul_and_one_endless_line(tmp_path):
    rtl = "قال الوزير إن المحادثات ستستمر في الدوحة."
    write(tmp_path / "a.txt", rtl)
    write(tmp_path / "b.txt", "The envoys\x00 met.")
    write(tmp_path / "c.txt", "word " * 200_000)
    articles, skipped = read(tmp_path)
    assert [article.text[:20] for article in articles] == [rtl[:20], "The envoys met.", ("word " * 4)]
    assert not skipped


BAD = {
    "empty.txt": b"",
    "blank.txt": b" \n\n",
    "binary.txt": bytes(range(256)) * 40,
    "image.html": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "empty.csv": b"",
    "empty.jsonl": b"",
    "menu.html": b"<html><body></body></html>",
    "text.parquet": b"this is no parquet",
    "empty.parquet": b"",
    "cut.parquet": b"PAR1" + bytes(100),
    "only-header.csv": b"",
    "binary.csv": b"PK\x03\x04" + bytes(range(256)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_skipped_named_and_counted(tmp_path, name):
    bad = write(tmp_path / name, BAD[name])
    good = write(tmp_path / "z" / "good.txt", TEXT)
    articles, [skip] = read(tmp_path)
    assert [article.source for article in articles] == [str(good)]
    assert skip.where == str(bad)
    assert skip.reason
    with pytest.raises(DataError, match=name):
        list(read_articles([tmp_path], strict=True))


def test_what_cannot_be_opened_is_skipped(tmp_path):
    write(tmp_path / "good.txt", TEXT)
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.txt")
    locked = write(tmp_path / "locked.txt", TEXT)
    locked.chmod(0)
    articles, skipped = read(tmp_path)
    expected = {"gone.txt", "pipe.txt"} | (set() if os.access(locked, os.R_OK) else {"locked.txt"})
    assert {Path(skip.where).name for skip in skipped} == expected
    assert len(articles) == 4 - len(expected)


def test_folders_are_read_recursively_in_order_and_other_files_passed_over(tmp_path):
    for name in ("b/2.txt", "a.txt", "b/1.TXT", "c/d/3.txt", "readme.md"):
        write(tmp_path / name, f"{TEXT} {name}")
    articles, skipped = read(tmp_path)
    assert [Path(article.source).name for article in articles] == ["a.txt", "1.TXT", "2.txt", "3.txt"]
    assert not skipped


def test_a_missing_path_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(DataError, match=r"gone: no such file or folder"):
        read_articles([write(tmp_path / "a.txt", TEXT), tmp_path / "gone"])


def test_nothing_readable_is_an_error_with_its_reasons(tmp_path):
    with pytest.raises(DataError, match="no path"):
        read_articles([])
    with pytest.raises(DataError, match=r"no file with a known ending"):
        list(read_articles([tmp_path]))
    for index in range(5):
        write(tmp_path / f"{index}.txt", "")
    with pytest.raises(DataError, match=r"0\.txt: empty file.*and 2 more"):
        list(read_articles([tmp_path]))
    with pytest.raises(DataError, match=r"unknown format '\.pdf'"):
        list(read_articles([write(tmp_path / "a.pdf", TEXT)]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2021-08-19T10:05:00+04:30", "2021-08-19"),
        ("Thu, 19 Aug 2021 10:05:00 GMT", "2021-08-19"),
        ("August 19th, 2021", "2021-08-19"),
        ("1 Sept 2021", "2021-09-01"),
        ("20210819", "2021-08-19"),
        ("2021/8/9", "2021-08-09"),
        ("8/19/2021", "2021-08-19"),
        ("19/8/2021", "2021-08-19"),
        (1629367500, "2021-08-19"),
        (1629367500000, "2021-08-19"),
        (date(2021, 8, 19), "2021-08-19"),
        ("9/8/2021", None),
        ("August 2021", None),
        ("31.02.2021", None),
        ("yesterday", None),
        (True, None),
        (float("nan"), None),
        (None, None),
    ],
)
def test_dates(value, expected):
    assert iso_date(value) == expected


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are not at ../shared/seeds")
def test_seed_articles():
    articles, skipped = read(SEEDS)
    assert [article.date for article in articles] == ["2021-09-02", None, "2021-08-19", None, None]
    assert [(article.title or "")[:14] for article in articles] == [
        "Lavrov: Russia",
        "Russia holds t",
        "Lavrov: Russia",
        "",
        "MoFA: Russia O",
    ]
    assert not skipped
