"""The sample articles read cleanly, show what their README says, and are no training data."""

import re
from pathlib import Path

import pytest

from stance import codebook, samples
from stance.corpus import cleaning, formats
from stance.dataset import examples as shipped_examples
from stance.records import Article


def _articles() -> dict[str, Article]:
    read = {}
    for path in samples.paths():
        (article,) = formats.READERS[path.suffix](path)
        assert isinstance(article, Article)
        read[path.name] = article
    return read


def test_there_are_five_in_four_formats() -> None:
    assert sorted(path.suffix for path in samples.paths()) == [".csv", ".html", ".jsonl", ".txt", ".txt"]


@pytest.mark.parametrize("name", [path.name for path in samples.paths()])
def test_every_sample_has_title_date_and_names_the_target(name: str) -> None:
    article = _articles()[name]
    assert article.title
    assert article.date
    assert article.date[:4] == re.search(r"\d{4}", name).group(0)  # type: ignore[union-attr]
    assert codebook.load().target.name in article.text
    assert 8 <= len(re.findall(r"[.?!]['\"”]?(?:\s|$)", article.text)) <= 16


@pytest.mark.parametrize(
    "furniture", ["Photo:", "Advertisement", "Cookie", "All rights reserved", "Most read", "Sport"]
)
def test_cleaning_drops_the_furniture(furniture: str) -> None:
    raw = "".join(path.read_text("utf-8") for path in samples.paths())
    assert furniture in raw
    assert all(furniture not in cleaning.clean(article.text, article.title) for article in _articles().values())


def test_two_of_them_report_one_event_and_no_others_do() -> None:
    texts = {name: _fives(article.text) for name, article in _articles().items()}
    pair = {"2021-moscow-round.txt", "2021-moscow-round-wire.jsonl"}
    for one, left in texts.items():
        for other, right in texts.items():
            if one < other:
                shared = len(left & right) / min(len(left), len(right))
                assert (shared > 0.7) == ({one, other} == pair), (one, other, shared)


def test_they_are_declared_invented_and_are_not_in_the_training_data() -> None:
    assert "invented" in (Path(samples.__file__).parent / "README.md").read_text("utf-8")
    training = {example.text for example in shipped_examples("stance")}
    for article in _articles().values():
        assert not training & set(re.split(r"(?<=[.?!])\s+", article.text))


def _fives(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}
