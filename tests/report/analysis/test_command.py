"""`stance report` on what real models said of the sample articles."""

import pandas as pd
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def refused(newsroom, stance_main):
    def check(*arguments, status=1):
        ran = stance_main("report", *arguments, cwd=newsroom)
        assert ran.status == status, (ran.out, ran.err)
        assert "Traceback" not in ran.err
        return ran.err

    return check


def test_a_page_a_table_and_a_picture(newsroom, stance_main):
    for name in ("r.html", "r.csv", "r.parquet", "r.png"):
        ran = stance_main("report", "p.parquet", "-o", name, cwd=newsroom)
        assert ran.status == 0, ran.err
        assert f"{name}: " in ran.err
        assert "uncorrected" not in ran.err
    text, binary = pd.read_csv(newsroom / "r.csv"), pd.read_parquet(newsroom / "r.parquet")
    assert len(text) == len(binary) > 100
    assert text["count"].tolist() == binary["count"].tolist()
    predicted = pd.read_parquet(newsroom / "p.parquet")
    engaged = predicted.loc[predicted["stance"].map(lambda given: given is not None and "engage" in given)]
    outlets = text.loc[(text["figure"] == "outlets") & (text["label"] == "engage")].set_index("outlet")["count"]
    assert outlets.to_dict() == engaged["outlet"].value_counts().reindex(outlets.index, fill_value=0).to_dict()
    assert (newsroom / "r.png").read_bytes().startswith(b"\x89PNG")
    page = (newsroom / "r.html").read_text("utf-8")
    assert "Shares are <strong>corrected</strong>" in page
    assert "Error rates used" in page


def test_the_format_can_be_said_and_the_title_set(newsroom, stance_main):
    ran = stance_main(
        "report", "p.parquet", "-o", "page.txt", "--format", "html", "--title", "A <b> title", cwd=newsroom
    )
    assert ran.status == 0, ran.err
    assert "<title>A &lt;b&gt; title</title>" in (newsroom / "page.txt").read_text("utf-8")


def test_elsewhere_counts_are_uncorrected_and_say_so(newsroom, stance_main, tmp_path):
    ran = stance_main("report", newsroom / "p.parquet", "-o", "r.csv", cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert "stance: counts are uncorrected: no model was given" in ran.err
    assert pd.read_csv(tmp_path / "r.csv")["corrected"].isna().all()


def test_mistakes_are_one_clear_error(refused, newsroom):
    assert "absent.parquet: cannot be read" in refused("absent.parquet", "-o", "r.html")
    assert "End it in .html, .parquet, .csv, .png" in refused("p.parquet", "-o", "r.doc")
    assert "choose a writable folder" in refused("p.parquet", "-o", "absent/r.csv")
    assert "no model 'nothing' is registered" in refused("p.parquet", "-o", "r.csv", "--model", "models:/nothing/1")
    assert "Missing option" in refused("p.parquet", status=2)
    assert not (newsroom / "r.doc").exists()
