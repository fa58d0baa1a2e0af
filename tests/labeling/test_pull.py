"""Pull from the real server; what annotators do is done as they do it, over the interface's own requests."""

import json
from dataclasses import replace

import pytest

from labeling.annotations import read_annotations
from labeling.client import Studio
from labeling.cursor import cursor_path, read_cursor
from labeling.failures import NotThere
from labeling.interface import codebook_hash, render
from labeling.pull import history_path, pull
from labeling.tasks import to_result, to_task
from stance import codebook as codebooks
from stance.errors import CodebookError, DataError, LabelingError
from stance.records import Example

pytestmark = pytest.mark.slow

BOOK = codebooks.load()
HARD = "<script>alert('x')</script> & <b>Ankara</b> \0 قال المتحدث باسم أنقرة \u202e"


def example(number, text="Ankara spoke with the Taliban."):
    start = text.index("Ankara") if "Ankara" in text else None
    return Example(
        text,
        "Turkey",
        *(("Ankara", start, start + 6) if start is not None else (None, None, None)),
        doc_id=f"d{number}",
        labels=("engage",),
    )


EXAMPLES = [example(0), example(1, HARD), example(2, "Ankara " + "long <b>text</b> " * 6000), example(3), example(4)]


class Site:
    """A project with five tasks, and what annotators do to them."""

    def __init__(self, studio, title):
        self.studio, self.title = studio, title
        self.project = studio.create_project(title, render(BOOK, "stance"), maximum_annotations=3)
        self.ids = studio.import_tasks(self.project.id, [to_task(one, BOOK, "stance") for one in EXAMPLES])

    def answer(self, number, stance=("engage",), flags=(), comment="", **settings):
        result = to_result({"stance": stance}, BOOK, "stance", flags, comment)
        return self.studio.annotate(self.ids[number], result, **settings)

    def sdk(self):
        return self.studio._sdk


@pytest.fixture
def site(studio, title):
    return Site(studio, title)


@pytest.fixture
def bring(site, tmp_path):
    """Pull the site's project into the same file each time."""
    return lambda: pull(site.studio, site.title, tmp_path / "labels.jsonl", BOOK)


def test_everything_that_was_said_comes_back(site, studio, bring, tmp_path):
    site.answer(0, ("engage", "sanction"), lead_time=12.5)
    site.answer(1, (), ("cant-tell",), "who is أنقرة? <b>")
    site.answer(2, ("oppose",), was_cancelled=True)
    found = bring()
    first, second, skipped = found.annotations
    assert [one.example for one in found.annotations] == EXAMPLES[:3]
    assert first.labels == {"stance": ("engage", "sanction"), "frames": None}
    assert (first.lead_time, first.annotator) == (12.5, studio.whoami().email)
    assert first.created_at.endswith("Z")
    assert (second.labels["stance"], second.flags, second.comment) == ((), ("cant-tell",), "who is أنقرة? <b>")
    assert skipped.skipped
    assert skipped.labels == {"stance": None, "frames": None}
    assert skipped.raw
    assert {one.codebook for one in found.annotations} == {BOOK.hash}
    assert [one.usable for one in found.annotations] == [True, False, False]
    assert tuple(read_annotations(tmp_path / "labels.jsonl", BOOK)) == found.annotations


def test_the_second_pull_brings_only_what_is_new_and_keeps_the_rest(site, bring, tmp_path):
    site.answer(0)
    bring()
    before = (tmp_path / "labels.jsonl").read_text()
    nothing = bring()
    assert (nothing.full, nothing.new, nothing.changed, nothing.deleted) == (False, (), (), ())
    assert (tmp_path / "labels.jsonl").read_text() == before
    added = site.answer(3, ())
    found = bring()
    assert (found.full, found.new, found.changed, found.deleted) == (False, (added,), (), ())
    assert (tmp_path / "labels.jsonl").read_text().startswith(before)
    assert not history_path(tmp_path / "labels.jsonl").exists()


def test_a_changed_answer_is_new_in_the_file_and_old_in_the_history(site, bring, tmp_path):
    changed = site.answer(0)
    bring()
    site.sdk().annotations.update(changed, result=to_result({"stance": ("oppose",)}, BOOK, "stance"))
    found = bring()
    assert (found.new, found.changed, found.deleted) == ((), (changed,), ())
    assert found.annotations[0].labels["stance"] == ("oppose",)
    (row,) = map(json.loads, history_path(tmp_path / "labels.jsonl").read_text().splitlines())
    assert (row["change"], row["id"], row["labels"]["stance"]) == ("changed", changed, ["engage"])


def test_a_deleted_answer_and_a_deleted_task_leave_the_file_but_not_the_history(site, bring, tmp_path):
    gone, with_task, stays = site.answer(0), site.answer(1), site.answer(2)
    bring()
    site.sdk().annotations.delete(gone)
    site.sdk().tasks.delete(site.ids[1])
    found = bring()
    assert (found.deleted, [one.id for one in found.annotations]) == ((gone, with_task), [stays])
    rows = [json.loads(line) for line in history_path(tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [(row["change"], row["id"]) for row in rows] == [("deleted", gone), ("deleted", with_task)]
    assert bring().deleted == ()


def test_a_pull_that_died_before_its_last_step_is_made_whole(site, bring, tmp_path):
    path = tmp_path / "labels.jsonl"
    gone, stays = site.answer(0), site.answer(1)
    bring()
    site.sdk().annotations.delete(gone)
    state, records = cursor_path(path).read_bytes(), path.read_bytes()
    bring()
    cursor_path(path).write_bytes(state)  # killed after the file was written, before the cursor was
    assert [one.id for one in bring().annotations] == [stays]
    path.write_bytes(records)  # killed after the history was written, before the file was
    cursor_path(path).write_bytes(state)
    assert bring().deleted == (gone,)
    assert len(history_path(path).read_text().splitlines()) == 1


def test_a_file_that_was_changed_by_hand_is_pulled_anew(site, bring, tmp_path):
    kept, lost = site.answer(0), site.answer(1)
    bring()
    path = tmp_path / "labels.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    found = bring()
    assert found.full
    assert ([one.id for one in found.annotations], found.new) == ([kept, lost], (lost,))


def test_an_answer_outside_the_codebook_is_kept_with_its_problem(site, bring):
    odd = {"from_name": "stance", "to_name": "Sentence", "type": "choices", "value": {"choices": ["praise", "none"]}}
    site.studio.annotate(site.ids[0], [odd])
    (record,) = bring().annotations
    assert not record.usable
    assert "'praise' is not in the codebook" in record.problems[0]
    assert record.raw[0]["value"] == odd["value"]


def test_the_model_whose_answer_was_shown_is_named(site, bring):
    task = site.ids[0]
    result = to_result({"stance": ("engage",)}, BOOK, "stance")
    site.studio.import_predictions(site.project.id, [{"task": task, "model_version": "m 7", "result": result}])
    shown = site.sdk().tasks.get(str(task)).predictions[0]
    site.answer(0, parent_prediction=shown["id"] if isinstance(shown, dict) else shown.id)
    site.answer(1)
    assert [one.prediction for one in bring().annotations] == ["m 7", None]


def test_an_annotator_who_was_deleted_keeps_name_and_answers(site, studio_server, bring, annotator):
    theirs = Studio(replace(studio_server.settings, key=annotator.token))
    early = theirs.annotate(site.ids[0], to_result({"stance": ()}, BOOK, "stance"))
    bring()
    late = theirs.annotate(site.ids[1], to_result({"stance": ()}, BOOK, "stance"))
    site.sdk().users.delete(annotator.id)
    found = bring()
    names = {one.id: one.annotator for one in found.annotations}
    assert found.deleted == ()
    assert names[early] == annotator.email
    assert names[late] not in ("", annotator.email)


def test_tasks_that_are_not_ours_are_named_and_the_others_read(site, bring):
    site.answer(0)
    (foreign,) = site.studio.import_tasks(site.project.id, [{"data": {"html": "by hand"}}])
    site.studio.annotate(foreign, [])
    found = bring()
    assert len(found.annotations) == 1
    assert f"task {foreign}" in found.unreadable[0]


def test_a_project_without_answers_makes_an_empty_file(bring, tmp_path):
    assert bring().annotations == ()
    assert (tmp_path / "labels.jsonl").read_text() == ""


def test_the_file_of_another_project_is_refused(site, studio, bring, tmp_path):
    site.answer(0)
    bring()
    other = studio.create_project(site.title + " b", render(BOOK, "stance"))
    before = (tmp_path / "labels.jsonl").read_bytes()
    try:
        with pytest.raises(LabelingError, match="give another file"):
            pull(studio, other.title, tmp_path / "labels.jsonl", BOOK)
    finally:
        studio.delete_project(other.id)
    assert (tmp_path / "labels.jsonl").read_bytes() == before


def test_a_project_that_was_deleted_leaves_the_file_as_it_was(site, studio, bring, tmp_path):
    site.answer(0)
    bring()
    before = (tmp_path / "labels.jsonl").read_bytes()
    studio.delete_project(site.project.id)
    with pytest.raises(NotThere, match=site.title):
        bring()
    assert (tmp_path / "labels.jsonl").read_bytes() == before


def test_a_file_that_holds_something_else_is_not_overwritten(site, bring, tmp_path):
    site.answer(0)
    (tmp_path / "labels.jsonl").write_text('{"text": "an example"}\n')
    with pytest.raises(DataError, match=r"labels\.jsonl:1: not an annotation"):
        bring()
    assert (tmp_path / "labels.jsonl").read_text() == '{"text": "an example"}\n'


def test_another_codebook_than_the_projects_is_refused_before_anything_is_written(site, studio, tmp_path, request):
    other = codebooks.load(request.config.rootpath / "experiments/codebooks/power-plant.yaml")
    site.answer(0)
    with pytest.raises(CodebookError, match="'stance'"):
        pull(studio, site.title, tmp_path / "labels.jsonl", other)
    assert not (tmp_path / "labels.jsonl").exists()


def test_the_server_keeps_the_interface_and_the_tasks_as_they_were_made(site, studio):
    assert site.project.interface == render(BOOK, "stance")
    assert codebook_hash(studio.project(site.project.id).interface) == BOOK.hash
    stored = {state.example_id: dict(state.data) for state in studio.all_tasks(site.project.id)}
    assert stored == {one.id: to_task(one, BOOK, "stance")["data"] for one in EXAMPLES}


def test_the_command_says_what_it_found(site, studio_environment, stance_main, tmp_path):
    site.answer(0)
    site.answer(1, was_cancelled=True)
    ran = stance_main("label", "pull", "--project", site.title, "-o", "out.jsonl", "--json", cwd=tmp_path)
    assert ran.status == 0, ran.err
    counts = json.loads(ran.out)
    assert (counts["annotations"], counts["new"], counts["skipped"], counts["annotators"]) == (2, 2, 1, 1)
    assert len(read_annotations(tmp_path / "out.jsonl")) == 2
    again = stance_main("label", "pull", "--project", site.title, "-o", "out.jsonl", cwd=tmp_path)
    assert "0 new" in again.out
    missing = stance_main("label", "pull", "--project", "no such project", "-o", "out.jsonl", cwd=tmp_path)
    assert missing.status == 1
    assert "no such project" in missing.err


def test_the_cursor_never_skips_what_changed_while_others_were_listed(site, bring, tmp_path):
    site.answer(0)
    bring()
    latest = max(one.updated_at for one in read_annotations(tmp_path / "labels.jsonl"))
    assert read_cursor(tmp_path / "labels.jsonl").since < latest
