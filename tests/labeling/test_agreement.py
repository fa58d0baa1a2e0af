"""Agreement as a user reads it: by label, actor and pair, with the differences to discuss."""

import json
import math
from dataclasses import replace

import pytest

from labeling.agreement import SETS, measure_agreement
from labeling.agreement_plot import draw_agreement
from labeling.annotations import Annotation, write_annotations
from labeling.answers import collect_answers
from stance import codebook
from stance.dataset import codings, examples
from stance.errors import DataError
from stance.evaluation.bootstrap import Resampling

BOOK = codebook.load()
FEW = Resampling(resamples=100)


@pytest.fixture(scope="module")
def coded():
    """Both codings of the shipped passages `a1-…` as annotations; an actor that only one listed has one."""
    by_id = {one.id: one for one in examples("stance") if one.doc_id.startswith("a1-")}
    return [
        Annotation(number, by_id[one.example_id], one.reader, {"stance": one.labels})
        for number, one in enumerate(codings("stance"))
        if one.labels is not None and one.example_id in by_id
    ]


@pytest.fixture(scope="module")
def found(coded):
    return measure_agreement(collect_answers(coded, BOOK, "stance"), FEW)


def test_every_label_has_alpha_with_an_interval_beside_kappa_and_raw_agreement(found):
    assert [one.name for one in found.overall.labels] == list(BOOK.task("stance").labels)
    for score in (*found.overall.labels, found.overall.sets):
        assert 0.85 < score.alpha.low < score.alpha.estimate < score.alpha.high <= 1
        assert score.alpha.estimate < score.raw
        assert score.kappa == pytest.approx(score.alpha.estimate, abs=0.03)
    assert found.overall.sets.name == SETS


def test_with_two_annotators_the_pair_is_the_whole_and_actors_add_up_to_it(found):
    (pair,) = found.pairs
    assert pair.value == "author & coder"
    assert (pair.n, pair.sets.alpha.estimate) == (found.overall.n, found.overall.sets.alpha.estimate)
    assert sum(one.n for one in found.actors) == found.overall.n
    assert found.actors[-1].value == "(other actors)"


def test_differences_are_all_units_that_are_not_the_same_the_farthest_first(found):
    identical = found.overall.sets.raw * found.overall.n
    assert len(found.differences) == pytest.approx(found.overall.n - identical)
    distances = [one.distance for one in found.differences]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] == 1
    assert 0 < distances[-1] < 1
    for one in found.differences:
        assert {answer.annotator for answer in one.answers} == {"author", "coder"}


def test_a_third_annotator_of_some_units_counts_where_they_answered(coded):
    third = [replace(one, id=-one.id, annotator="third") for one in coded if one.annotator == "coder"][::3]
    skipped = [replace(one, annotator="fourth", skipped=True) for one in third]
    more = measure_agreement(collect_answers([*coded, *third, *skipped], BOOK, "stance"), FEW)
    assert {pair.value: pair.sets.raw for pair in more.pairs}["coder & third"] == 1
    assert [pair.value for pair in more.pairs] == ["author & coder", "author & third", "coder & third"]
    assert "fourth" not in more.annotators
    assert more.missing["skipped"] == len(skipped)


def test_one_annotator_alone_is_an_error_that_says_what_to_do(coded):
    alone = [one for one in coded if one.annotator == "author"]
    with pytest.raises(DataError, match=r"no example has the answers of two.*author.*second annotator"):
        measure_agreement(collect_answers(alone, BOOK, "stance"))


def test_a_label_that_nobody_uses_is_not_called_perfect(coded):
    calm = [one for one in coded if "recognize" not in (one.labels["stance"] or ())]
    found = measure_agreement(collect_answers(calm, BOOK, "stance"), FEW)
    by_name = {score.name: score for score in found.overall.labels}
    assert by_name["recognize"].raw == 1
    assert math.isnan(by_name["recognize"].alpha.estimate)
    assert found.to_json()["overall"]["labels"][2]["alpha"]["estimate"] is None


def test_the_picture_names_every_label_actor_and_value(found):
    figure = draw_agreement(found)
    words = {text.get_text() for axes in figure.axes for text in [*axes.get_yticklabels(), *axes.texts]}
    assert {*BOOK.task("stance").labels, SETS} <= words
    assert any(word.startswith(f"{found.actors[0].value} (") for word in words)
    assert f"{found.overall.sets.alpha.estimate:.2f}" in words


@pytest.mark.slow
def test_the_command_prints_tables_and_writes_json_and_a_picture(coded, tmp_path, stance_main):
    write_annotations(coded, tmp_path / "annotations.jsonl")
    options = ("--resamples", 50, "--list", 3)
    shown = stance_main("label", "agreement", "annotations.jsonl", *options, cwd=tmp_path)
    assert shown.status == 0, shown.err
    for words in ("engage", SETS, "author & coder", "3 largest of"):
        assert words in shown.out
    assert "answers of 2 annotators" in shown.err

    files = ("-o", "agreement.json", "--plot", "agreement.png")
    written = stance_main("label", "agreement", "annotations.jsonl", *options, *files, cwd=tmp_path)
    assert (written.status, written.out) == (0, "")
    assert (tmp_path / "agreement.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((tmp_path / "agreement.json").read_text())
    assert content["overall"]["sets"]["alpha"]["low"] < content["overall"]["sets"]["alpha"]["estimate"]
    assert content["differences"][0]["answers"][0]["annotator"] == "author"
    printed = stance_main("label", "agreement", "annotations.jsonl", *options, "--json", cwd=tmp_path)
    assert json.loads(printed.out) == content


def test_the_command_refuses_another_kind_of_picture_and_a_file_that_is_none(coded, tmp_path, stance_main):
    write_annotations(coded[:40], tmp_path / "annotations.jsonl")
    bad = stance_main("label", "agreement", "annotations.jsonl", "--plot", "a.doc", cwd=tmp_path)
    assert bad.status == 1
    assert "a.doc" in bad.err
    (tmp_path / "other.jsonl").write_text('{"text": "no annotation"}\n')
    bad = stance_main("label", "agreement", "other.jsonl", cwd=tmp_path)
    assert bad.status == 1
    assert "other.jsonl:1" in bad.err
