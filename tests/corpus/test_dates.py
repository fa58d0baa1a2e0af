"""A date that cannot be read costs no article, and is told."""

import json

import pytest

from stance.corpus.articles import odd_date, read_articles
from stance.errors import DataError

TEXT = "The envoys met in Doha on Monday. They will meet again, an aide said."


def read(tmp_path, *dates, strict=False):
    rows = [{"text": f"{TEXT} {number}", "date": value} for number, value in enumerate(dates)]
    (tmp_path / "news.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return list(read_articles([tmp_path / "news.jsonl"], strict=strict))


@pytest.mark.parametrize("value", ["31 Foo 2021", "08/09/2021", "2021-13-45", "n/a", 12, ["2021"], "x" * 900])
def test_an_article_with_an_odd_date_stays_and_names_it(tmp_path, value):
    first, second = read(tmp_path, "2021-09-02", value)
    assert (first.date, first.odd_date) == ("2021-09-02", "")
    assert second.date is None
    assert "news.jsonl:2: the date '" in odd_date(second)
    assert len(second.odd_date) <= 60
    with pytest.raises(DataError, match=r"news\.jsonl:2: the date '.+' cannot be read; write it as YYYY-MM-DD"):
        read(tmp_path, "2021-09-02", value, strict=True)


@pytest.mark.parametrize("value", [None, "", " ", "–", "--", "2021-09-02", float("nan")])
def test_no_date_is_not_an_odd_one(tmp_path, value):
    (article,) = read(tmp_path, value, strict=True)
    assert article.odd_date == ""
