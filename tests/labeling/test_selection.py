"""What `stance label next` may offer, and what it chooses of it."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.annotations import Annotation, write_annotations
from labeling.eligibility import ACTORLESS, FROZEN, LABELLED, REPEATED, find_eligible, read_ids
from labeling.scores import Scores
from labeling.selection import RANDOM, UNCERTAIN, Quotas, label_quotas, select
from labeling.tasks import to_task
from stance import codebook
from stance.dataset import load_examples, read_examples, write_examples
from stance.errors import ConfigError, DataError
from stance.models.bundle import Origin, write_bundle
from stance.models.tfidf import TfidfLinear
from stance.models.thresholds import Calibration
from stance.records import Example

LABELS = ("engage", "oppose", "recognize", "sanction")
THRESHOLDS = (0.5, 0.4, 0.3, 0.2)


@pytest.fixture(scope="module")
def book():
    return codebook.load()


@pytest.fixture(scope="module")
def parts():
    return {name: [replace(one, labels=None) for one in part] for name, part in load_examples("stance").items()}


def made_pool(size, seed=0):
    """Examples of six actors, one of whom says half of all, with scores and vectors that depend on the seed alone."""
    rng = np.random.default_rng(seed)
    actors = rng.choice(["Russia", "Iran", "China", "India", "Qatar", "Norway"], size, p=[0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    examples = [Example(f"Sentence number {row} of many.", str(actor), index=row) for row, actor in enumerate(actors)]
    probabilities = np.clip(rng.beta([2, 2, 1, 1], [3, 3, 20, 10], (size, 4)), 1e-6, 1 - 1e-6)
    vectors = rng.normal(size=(size, 8))
    return examples, Scores(LABELS, probabilities, THRESHOLDS), lambda some: vectors[[one.index for one in some]]


class TestEligibility:
    def test_nothing_of_the_shipped_test_part_is_offered(self, parts, book):
        pool = parts["test"] + parts["train"][:50]
        found = find_eligible(pool, book, "stance")
        frozen = {one.id for one in parts["test"]}
        assert found.left_out[FROZEN] >= len(frozen)
        assert not frozen & {one.id for one in found.examples}

    def test_it_is_recognised_under_another_name_reworded_or_quoted(self, parts, book):
        document = [one for one in parts["test"] if one.doc_id == parts["test"][0].doc_id]
        renamed = [replace(one, doc_id="wire-copy", cluster="", text=one.text.upper()) for one in document]
        cut = [
            replace(one, doc_id="cut", cluster="", text=one.text.removesuffix(".") + ", he said.") for one in document
        ]
        longest = max(parts["test"], key=lambda one: len(one.text))
        quoting = [replace(one, doc_id="quoting", cluster="") for one in parts["train"][:30]]
        quoting.append(
            replace(quoting[0], text=f"On Monday, {longest.text}", index=99, start=None, end=None, mention=None)
        )
        harmless = [replace(one, doc_id="harmless", cluster="") for one in parts["train"][40:60]]
        for copy in (renamed, cut, quoting):
            found = find_eligible(copy + harmless, book, "stance")
            assert {one.doc_id for one in found.examples} == {"harmless"}, copy[0].doc_id

    def test_a_cluster_falls_with_one_of_its_documents(self, parts, book):
        frozen = replace(parts["test"][0], doc_id="a", cluster="c")
        sibling = replace(parts["train"][0], doc_id="b", cluster="c")
        other = replace(parts["train"][30], doc_id="d", cluster="d")
        assert [one.doc_id for one in find_eligible([frozen, sibling, other], book, "stance").examples] == ["d"]

    def test_a_users_own_test_is_kept_out_too(self, parts, book):
        pool = parts["train"][:200]
        held = [replace(one, doc_id="mine", cluster="") for one in pool if one.doc_id == pool[0].doc_id]
        found = find_eligible(pool, book, "stance", held_out=held)
        assert pool[0].doc_id not in {one.doc_id for one in found.examples}
        assert found.examples

    def test_what_is_labelled_repeated_or_actorless_is_counted(self, parts, book):
        some = parts["train"][:10]
        repeated = replace(some[5], text=f"“{some[5].text}”", doc_id="elsewhere", start=None, end=None, mention=None)
        nobody = replace(some[6], actor=None, mention=None, start=None, end=None, text="Nobody is named here at all.")
        pool = [replace(some[0], labels=()), *some[1:], repeated, nobody]
        found = find_eligible(pool, book, "stance", labelled=[some[1].id])
        assert found.left_out == {LABELLED: 2, FROZEN: 0, REPEATED: 1, ACTORLESS: 1}
        assert list(found.examples) == some[2:]

    def test_nothing_left_says_why(self, parts, book):
        with pytest.raises(DataError, match="frozen test"):
            find_eligible(parts["test"], book, "stance")
        with pytest.raises(DataError, match="empty"):
            find_eligible([], book, "stance")

    def test_ids_are_read_from_examples_and_from_annotations(self, parts, tmp_path):
        some = parts["train"][:3]
        write_examples(some, tmp_path / "examples.parquet")
        write_annotations([Annotation(1, some[0], "ann", {"stance": ()})], tmp_path / "annotations.jsonl")
        assert read_ids(tmp_path / "examples.parquet") == {one.id for one in some}
        assert read_ids(tmp_path / "annotations.jsonl") == {some[0].id}
        with pytest.raises(DataError, match="missing"):
            read_ids(tmp_path / "missing.jsonl")


class TestSelection:
    @settings(max_examples=40, deadline=None)
    @given(st.integers(1, 120), st.integers(1, 90), st.floats(0, 1), st.floats(0.05, 1), st.integers(0, 5))
    def test_exactly_as_many_as_asked_each_once_and_the_same_again(self, size, n, share, per_actor, seed):
        examples, scores, embed = made_pool(size, seed)
        quotas = Quotas(n, share, per_actor, seed=seed)
        picks = select(examples, scores, embed, quotas)
        assert len({pick.row for pick in picks}) == len(picks) == min(n, size)
        assert all(pick.example is examples[pick.row] for pick in picks)
        assert sum(pick.by == RANDOM for pick in picks) == round(min(n, size) * share)
        assert [pick.row for pick in select(examples, scores, embed, quotas)] == [pick.row for pick in picks]

    def test_the_random_share_depends_on_nothing_the_model_says(self):
        examples, scores, embed = made_pool(500)
        other = Scores(LABELS, scores.probabilities[::-1], THRESHOLDS)
        drawn = [
            {pick.row for pick in select(examples, one, embed, Quotas(100, 0.3)) if pick.by == RANDOM}
            for one in (scores, other)
        ]
        assert drawn[0] == drawn[1]
        assert len(drawn[0]) == 30

    def test_a_random_pick_says_how_likely_it_was(self):
        examples, scores, embed = made_pool(500)
        chances = {pick.inclusion for pick in select(examples, scores, embed, Quotas(100, 0.3)) if pick.by == RANDOM}
        assert chances == {30 / 500}

    def test_no_actor_is_above_its_quota_while_there_are_others(self):
        examples, scores, embed = made_pool(600)
        picks = select(examples, scores, embed, Quotas(100, 0.0, per_actor=0.25))
        assert Counter(pick.example.actor for pick in picks).most_common(1)[0][1] == 25

    def test_the_quota_yields_where_nothing_else_is_left_and_says_so(self):
        examples, scores, embed = made_pool(60)
        picks = select(examples, scores, embed, Quotas(60, 0.0, per_actor=0.1))
        assert len(picks) == 60
        assert any("beyond its actor's quota" in pick.why for pick in picks)

    def test_what_is_picked_is_near_the_threshold_of_its_label(self):
        examples, scores, embed = made_pool(2000)
        margins = scores.margins()
        for pick in select(examples, scores, embed, Quotas(100, 0.0)):
            column = LABELS.index(pick.label)
            assert pick.by == UNCERTAIN
            assert pick.margin == pytest.approx(margins[pick.row, column])
            assert (margins[:, column] < pick.margin).sum() < 400
            assert f"'{pick.label}'" in pick.why

    def test_clusters_take_turns(self):
        examples, scores, _ = made_pool(400)
        kinds = np.arange(400) % 5
        picks = select(examples, scores, lambda some: np.eye(5)[[kinds[one.index] for one in some]], Quotas(40, 0.0))
        assert min(Counter(kinds[pick.row] for pick in picks).values()) >= 5

    def test_the_order_tells_nothing(self):
        examples, scores, embed = made_pool(500)
        picks = select(examples, scores, embed, Quotas(100, 0.3))
        first = [pick.by for pick in picks[:50]]
        assert 5 <= first.count(RANDOM) <= 25

    @given(st.integers(0, 300), st.floats(0, 2), st.integers(0, 9))
    @settings(max_examples=30, deadline=None)
    def test_label_quotas_add_up_and_favour_the_rare(self, n, rarity, seed):
        probabilities = np.random.default_rng(seed).beta([5, 3, 1, 1], [5, 9, 30, 12], (50, 4))
        quotas = label_quotas(probabilities, n, rarity)
        assert quotas.sum() == n
        order = np.argsort(probabilities.mean(axis=0))
        assert all(np.diff(quotas[order]) <= 1)  # never fewer for a rarer label, rounding aside

    @pytest.mark.parametrize("wrong", [{"n": 0}, {"random": 1.5}, {"per_actor": 0.0}, {"rarity": -1.0}])
    def test_impossible_quotas_are_refused(self, wrong):
        with pytest.raises(ConfigError):
            Quotas(**wrong)

    def test_scores_of_other_examples_are_refused(self):
        examples, scores, embed = made_pool(20)
        with pytest.raises(DataError, match="19 examples"):
            select(examples[1:], scores, embed)


@pytest.fixture(scope="module")
def model(tiny_examples, book, tmp_path_factory):
    """The bundle of a small linear model."""
    fitted = TfidfLinear(LABELS, TfidfLinear.Settings(), 1)
    fitted.fit(tiny_examples, [])
    folder = tmp_path_factory.mktemp("model") / "bundle"
    return write_bundle(folder, fitted, Calibration.identity(len(LABELS)), book, Origin(task="stance"))


@pytest.mark.slow
class TestCommand:
    @pytest.fixture(scope="class")
    def pool(self, parts, tmp_path_factory):
        path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
        write_examples(parts["train"][:600] + parts["test"][:100], path)
        return path

    @pytest.fixture(scope="class")
    def run(self, pool, model, tmp_path_factory, stance_main):
        folder = tmp_path_factory.mktemp("run")
        return lambda *more: stance_main("label", "next", pool, "--model", model, *more, cwd=folder)

    def test_it_writes_what_push_takes_the_same_each_time(self, run, parts, book, tmp_path):
        out = tmp_path / "next.jsonl"
        command = ("--n", 40, "--random", 0.25)
        ran = run(*command, "-o", out, "--json")
        assert ran.status == 0, ran.err
        facts = json.loads(ran.out)
        assert facts["picked"] == 40
        assert facts["left_out"]["frozen test"] >= 100
        assert facts["by"]["random"] == 10
        examples = read_examples(out)
        assert len({one.id for one in examples}) == 40
        assert not {one.id for one in examples} & {one.id for one in parts["test"]}
        assert all(one.labels is None and to_task(one, book, "stance") for one in examples)
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        assert all(
            row["picked"]["why"] and row["picked"]["model"].startswith("taliban-stance tfidf-linear ") for row in rows
        )
        before = out.read_bytes()
        again = run(*command, "-o", out)
        assert again.status == 0
        assert "40 to label next" in again.out
        assert out.read_bytes() == before
        third = run(*command, "-o", tmp_path / "more.jsonl", "--labelled", out)
        assert third.status == 0
        assert not {one.id for one in read_examples(tmp_path / "more.jsonl")} & {one.id for one in examples}

    def test_another_ending_is_refused(self, run, tmp_path):
        ran = run("--n", 5, "-o", tmp_path / "next.csv")
        assert ran.status == 1
        assert "name it .jsonl" in ran.err
