"""Cards as the gate writes them, read back by the Hub's own reader."""

from pathlib import Path

import pytest

from stance import codebook
from stance.tracking.agreement import shipped_agreement
from stance.tracking.card_results import show_probes, show_slices
from stance.tracking.registry import promote

NAME = "taliban-stance"


@pytest.fixture
def done(store, train, lenient):
    extra = {
        "probes.typos.failure_rate": 0.1,
        "probes.typos.low": 0.05,
        "probes.typos.n": 40,
        "probes.negate.failure_rate": 0.3,
    }
    return promote("stance", train("tfidf-linear", name="words", extra=extra), terms=lenient)


@pytest.mark.slow
def test_the_hub_reads_the_results_of_a_card(done, evaluations):
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard.load(done.card)
    evaluation = evaluations["tfidf-linear"][1]
    assert card.data.model_name == NAME
    assert (card.data.library_name, card.data.pipeline_tag, card.data.language) == (
        "stance-kit",
        "text-classification",
        "en",
    )
    results = {result.metric_name: result for result in card.data.eval_results}
    assert results["macro-F1"].metric_value == pytest.approx(evaluation.macro_f1.estimate, abs=1e-4)
    assert results["macro-F1"].dataset_split == "test"
    assert {f"F1 of {label}" for label in evaluation.labels} <= set(results)
    bounds = results["micro-F1"].metric_args
    assert bounds["low"] <= results["micro-F1"].metric_value <= bounds["high"]
    again = hub.ModelCard(str(card))
    assert again.data.to_dict() == card.data.to_dict()


@pytest.mark.slow
def test_a_card_tells_what_the_model_is_and_how_to_load_it(done, evaluations):
    assert done.card == Path(f"models/{NAME}.md")
    body = done.card.read_text().split("---\n", 2)[2]
    code = body.split("```python\n")[1].split("```")[0].strip().splitlines()
    assert len(code) == 2
    assert code[0].startswith(f'model = stance.load("models:/{NAME}/1")')
    for label in evaluations["tfidf-linear"][1].labels:
        assert f"| `{label}` |" in body
    for heading in (
        "Use",
        "Labels",
        "Data",
        "Calibration",
        "Slices",
        "Probes",
        "Limits",
        "Versions",
        "Why it is champion",
    ):
        assert f"## {heading}\n" in body
    assert "| typos | 0.100 | 40 |" in body
    assert body.index("| negate |") < body.index("| typos |")  # the worst first
    assert "there is no champion yet" in body


def test_agreement_is_counted_on_the_shipped_codings():
    book = codebook.load()
    rows = shipped_agreement("stance", book)
    assert [label for label, _, _ in rows] == list(book.task("stance").labels)
    assert all(0.85 < kappa < 1 and n > 8_000 for _, kappa, n in rows)


def test_small_slices_are_named_with_their_size_and_not_ranked():
    def one(value, n, small):
        score = {"estimate": n / 100, "low": 0.0, "high": 1.0}
        return {
            "kind": "actor",
            "value": value,
            "n": n,
            "n_documents": n,
            "macro_f1": score,
            "exact_match": score,
            "too_small": small,
        }

    text = show_slices({"slices": [one("Iran", 40, False), one("Chad", 50, False), one("Mali", 4, True)]})
    assert text.index("actor: Iran") < text.index("actor: Chad") < text.index("Too small to rank: actor: Mali (n = 4)")
    assert "No slice of the test part is large enough" in show_slices({"slices": [one("Mali", 4, True)]})
    assert "No probes were run" in show_probes({})
