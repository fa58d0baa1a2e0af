import numpy as np
import pytest

from stance import codebook as codebooks
from stance.config import validate
from stance.errors import BundleError, ConfigError, DataError
from stance.experiment import build
from stance.models import catalogue
from stance.models.ensemble import Ensemble

MEMBERS = [{"kind": "tfidf-linear"}, {"kind": "lexicon", "weight": 2}]


@pytest.fixture(scope="module")
def book():
    return codebooks.load()


def experiment(members):
    return validate({"name": "pool", "model": {"kind": "ensemble", "members": members}}, "pool.yaml")


@pytest.fixture(scope="module")
def fitted(book, tiny_parts):
    model = build(experiment(MEMBERS), book)
    model.fit(tiny_parts["train"], tiny_parts["validation"])
    return model


def test_the_pool_lies_between_its_scaled_members(fitted, tiny_parts):
    pooled = fitted.predict_proba(tiny_parts["test"])
    assert pooled.shape == (len(tiny_parts["test"]), len(fitted.labels))
    odds = [
        np.log(p := np.clip(m.predict_proba(tiny_parts["test"]).astype(float), 1e-6, 1 - 1e-6)) - np.log1p(-p)
        for m in fitted.members
    ]
    scaled = [1 / (1 + np.exp(-(o * s[:, 0] + s[:, 1]))) for o, s in zip(odds, fitted.scales, strict=True)]
    assert (pooled >= np.minimum(*scaled) - 1e-6).all()
    assert (pooled <= np.maximum(*scaled) + 1e-6).all()


def test_members_take_from_the_codebook_what_they_would_alone(fitted, book):
    lexicon = catalogue.find("lexicon")
    assert fitted.members[1].settings.roots == lexicon.Settings(**lexicon.settings_from(book.task("stance"))).roots


def test_saved_and_loaded_it_gives_the_same(fitted, tiny_parts, tmp_path):
    fitted.save(tmp_path)
    again = Ensemble.load(tmp_path)
    np.testing.assert_array_equal(again.predict_proba(tiny_parts["test"]), fitted.predict_proba(tiny_parts["test"]))
    (tmp_path / "ensemble.json").write_text("{}")
    with pytest.raises(BundleError, match=r"ensemble\.json: not a saved ensemble"):
        Ensemble.load(tmp_path)


def test_members_differ_in_their_seed(book, tiny_parts):
    settings = {"epochs": 1, "freeze_layers": 1}
    model = build(experiment([{"kind": "majority"}, {"kind": "encoder", **settings}]), book)
    assert [model._build(k, m).seed for k, m in enumerate(model.settings.members)] == [13, 14]


def test_progress_runs_once_from_start_to_end(book, tiny_parts):
    seen = []
    model = build(experiment(MEMBERS), book)
    model.fit(tiny_parts["train"], tiny_parts["validation"], progress=seen.append)
    shares = [state["done"] / state["total"] for state in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([{"kind": "lexicon"}], "members"),
        ([{"kind": "lexicn"}, {"kind": "lexicon"}], "did you mean 'lexicon'"),
        ([{"kind": "lexicon", "weight": 0}, {"kind": "majority"}], "a weight is above 0"),
        ([{"kind": "encoder", "epoch": 3}, {"kind": "majority"}], "epoch"),
    ],
)
def test_members_that_cannot_be_are_refused(members, message):
    with pytest.raises(ConfigError, match=message):
        experiment(members)


def test_an_unfitted_pool_says_so(book):
    with pytest.raises(DataError, match="not been fitted"):
        build(experiment(MEMBERS), book).predict_proba([])
