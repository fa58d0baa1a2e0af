"""Gold holds what is decided, says who decided it and how, and guesses nothing."""

import json
from dataclasses import replace

import pytest

from labeling.adjudication import Bar, propose
from labeling.annotations import Annotation, write_annotations
from labeling.answers import collect_answers
from labeling.gold import make_gold, write_gold
from stance import codebook
from stance.dataset import codings, examples, read_examples
from stance.errors import DataError
from stance.records import Example

BOOK = codebook.load()


def example(number):
    return Example(f"Sentence {number} on the Taliban.", actor="Russia", doc_id=f"d{number}", index=number)


def said(number, annotator, *labels, **more):
    given = {"stance": labels, "frames": None} | more.pop("labels", {})
    identity = 10 * number + "ABR".index(annotator)
    return Annotation(identity, example(number), annotator, given, codebook=BOOK.hash, **more)


AGREED = [said(k, name, *(["engage"] if k % 2 else [])) for k in range(20) for name in "AB"]
SPLIT = [said(50, "A", "oppose"), said(50, "B")]


def gold(annotations, verdicts=None, task="stance"):
    answers = collect_answers(annotations, BOOK, task)
    judged = None if verdicts is None else collect_answers(verdicts, BOOK, task)
    return make_gold(propose(answers, Bar()), answers, judged)


def by_index(made):
    return {one.index: one.labels for one in made.examples}


def test_what_is_not_decided_is_left_out_and_counted():
    skipped = [said(60, name, "engage", skipped=True) for name in "AB"]
    flagged = [said(61, name, "engage", flags=("wrong-actor",)) for name in "AB"]
    made = gold([*AGREED, *SPLIT, *skipped, *flagged, said(62, "A", "engage")])
    assert set(by_index(made)) == set(range(20))
    assert made.left_out == {"undecided": 1, "skipped": 1, "flagged": 1, "waiting": 1}
    assert made.decided == {"unanimous": 20}
    assert by_index(made)[0] == ()
    assert by_index(made)[1] == ("engage",)


def test_a_verdict_wins_even_over_what_all_agreed_on():
    made = gold([*AGREED, *SPLIT], [said(50, "R", "sanction", "oppose"), said(1, "R")])
    assert by_index(made)[50] == ("oppose", "sanction")
    assert by_index(made)[1] == ()
    assert made.decided == {"unanimous": 19, "verdict": 2}


def test_the_latest_of_several_verdicts_wins():
    first = said(50, "R", "oppose", updated_at="2026-01-02T00:00:00Z")
    later = said(50, "A", updated_at="2026-01-03T00:00:00Z")
    assert by_index(gold([*AGREED, *SPLIT], [later, first]))[50] == ()


@pytest.mark.parametrize(
    ("verdict", "reason"), [({"skipped": True}, "verdict skipped"), ({"flags": ("wrong-actor",)}, "verdict flagged")]
)
def test_a_judge_who_skips_or_flags_keeps_it_out(verdict, reason):
    made = gold([*AGREED, *SPLIT], [said(50, "R", "oppose", **verdict), said(2, "R", **verdict)])
    assert made.left_out == {reason: 2}
    assert not {2, 50} & set(by_index(made))


def test_a_verdict_on_another_task_is_none_on_this_one_and_one_on_an_unknown_example_is_counted():
    made = gold([*AGREED, *SPLIT], [said(1, "R", labels={"stance": None, "frames": ("security",)}), said(99, "R")])
    assert by_index(made)[1] == ("engage",)
    assert made.strays == 1


def test_provenance_says_who_how_how_surely_and_under_which_codebook():
    made = gold([*AGREED, *SPLIT], [said(50, "R", "oppose")])
    origin = {one.index: each for one, each in zip(made.examples, made.provenance, strict=True)}
    agreed, judged = origin[1], origin[50]
    assert (agreed["how"], agreed["codebooks"], agreed["annotations"]) == ("unanimous", [BOOK.hash], [10, 11])
    engage = agreed["labels"][0]
    assert (engage["label"], engage["chosen"], engage["yes"], engage["no"]) == ("engage", True, ["A", "B"], [])
    assert agreed["confidence"] == pytest.approx(min(one["confidence"] for one in agreed["labels"]), abs=1e-4)
    assert (judged["how"], judged["judge"], judged["confidence"]) == ("verdict", "R", 1.0)
    oppose = judged["labels"][1]
    assert (oppose["chosen"], oppose["how"], oppose["yes"], oppose["no"]) == (True, "verdict", ["A"], ["B"])


def test_the_file_reads_as_examples_and_keeps_its_provenance(tmp_path):
    made = gold(AGREED)
    assert write_gold(made, tmp_path / "gold.jsonl") == 20
    assert read_examples(tmp_path / "gold.jsonl", BOOK.task("stance")) == list(made.examples)
    rows = [json.loads(line) for line in (tmp_path / "gold.jsonl").read_text().splitlines()]
    assert [row["provenance"] for row in rows] == list(made.provenance)


def test_nothing_decided_and_a_format_without_room_for_provenance_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"nothing is decided yet \(1 undecided\)"):
        write_gold(gold(SPLIT), tmp_path / "gold.jsonl")
    with pytest.raises(DataError, match=r"name it gold\.jsonl"):
        write_gold(gold(AGREED), tmp_path / "gold.parquet")
    assert list(tmp_path.iterdir()) == []


def test_sentence_gold_has_no_actor_and_the_ids_of_the_corpus():
    sentences = {one.id: one for one in examples("frames")[:40]}
    coded = [one for one in codings("frames") if one.example_id in sentences]
    # As an interface that asks per actor yields them: each sentence labelled through an actor of it.
    annotations = [
        Annotation(k, replace(sentences[one.example_id], actor="Iran"), one.reader, {"frames": one.labels})
        for k, one in enumerate(coded)
    ]
    made = gold(annotations, task="frames")
    assert {one.id for one in made.examples} <= set(sentences)
    assert all(one.actor is None for one in made.examples)
    assert made.left_out["undecided"] > 0


def test_the_command_writes_what_train_can_read_and_says_what_is_missing(tmp_path, stance_main):
    write_annotations([*AGREED, *SPLIT], tmp_path / "annotations.jsonl")
    write_annotations([said(50, "R", "oppose")], tmp_path / "verdicts.jsonl")
    before = stance_main("label", "gold", "annotations.jsonl", "-o", "gold.jsonl", "--json", cwd=tmp_path)
    assert before.status == 0, before.err
    assert "left out: 1 undecided" in before.err
    assert json.loads(before.out)["examples"] == 20
    after = stance_main(
        "label", "gold", "annotations.jsonl", "--verdicts", "verdicts.jsonl", "-o", "gold.jsonl", cwd=tmp_path
    )
    assert "21 gold examples: 20 unanimous, 1 verdict" in after.err
    assert len(read_examples(tmp_path / "gold.jsonl")) == 21


def test_adjudicate_prints_proposals_and_writes_them(tmp_path, stance_main):
    write_annotations([*AGREED, *SPLIT], tmp_path / "annotations.jsonl")
    shown = stance_main("label", "adjudicate", "annotations.jsonl", cwd=tmp_path)
    assert shown.status == 0, shown.err
    assert "unsure of oppose" in shown.out
    written = stance_main("label", "adjudicate", "annotations.jsonl", "-o", "proposals.jsonl", cwd=tmp_path)
    assert "21 proposals" in written.err
    rows = [json.loads(line) for line in (tmp_path / "proposals.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["decided"] * 20 + ["review"]
