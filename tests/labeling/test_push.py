import json
from collections import Counter
from dataclasses import replace

import pytest

from labeling.interface import render
from labeling.plan import Wish, plan_push
from labeling.push import push
from labeling.repeats import choose_tasks
from labeling.state import TaskState
from labeling.tasks import to_result, to_task
from stance import codebook as codebooks
from stance import config
from stance.dataset import write_examples
from stance.errors import DataError, LabelingError, StanceError
from stance.experiment import fit
from stance.models.bundle import Origin, write_bundle
from stance.records import Example

BOOK = codebooks.load()


def example(number, text="Moscow hosted a delegation, number {}.", **more):
    return Example(text=text.format(number), actor="Russia", mention="Moscow", start=0, end=6, index=number, **more)


EXAMPLES = [example(number) for number in range(30)]


def reworded():
    """The shipped codebook with one label defined in other words."""
    content = BOOK.model_dump(mode="json", by_alias=True)
    content["tasks"]["stance"]["labels"][0]["definition"] = "Another wording."
    return codebooks.Codebook.model_validate(content)


def without_sanction():
    """The shipped codebook without one of its labels, and without all that may mention it."""
    content = BOOK.model_dump(mode="json", by_alias=True)
    stance = content["tasks"]["stance"]
    labels = [label for label in stance["labels"] if label["name"] != "sanction"]
    kept = {name: stance[name] for name in ("unit", "question", "none_hotkey", "none_summary")}
    content["tasks"]["stance"] = kept | {"labels": labels}
    content["rules"] = content["settled"] = []
    return codebooks.Codebook.model_validate(content)


def send(studio, title, examples=EXAMPLES, book=BOOK, **wish):
    return push(studio, plan_push(studio, examples, book, Wish(title, **wish)), book)


def held(studio, title):
    """How often each example stands in the project."""
    (project,) = studio.projects(title)
    return Counter(state.example_id for state in studio.all_tasks(project.id))


def once(examples=EXAMPLES):
    return Counter(each.id for each in examples)


@pytest.fixture(scope="module")
def model(tiny_parts, tmp_path_factory):
    """A linear model in a folder."""
    experiment = config.validate({"name": "tiny", "model": {"kind": "tfidf-linear"}}, "test")
    model, calibration = fit(experiment, BOOK, tiny_parts, lambda _: None)
    return str(
        write_bundle(tmp_path_factory.mktemp("model") / "bundle", model, calibration, BOOK, Origin(task="stance"))
    )


@pytest.mark.parametrize(
    ("states", "stays"),
    [
        ([(2, "now", 0), (1, "now", 0)], 1),
        ([(1, "now", 0), (2, "now", 1)], 2),
        ([(1, "now", 1), (2, "now", 1)], 1),
        ([(1, "old", 0), (2, "now", 0)], 2),
        ([(1, "old", 1), (2, "now", 0)], 1),
    ],
    ids=["the older", "the annotated", "the older annotated", "the present codebook's", "work above all"],
)
def test_which_of_two_tasks_stays(states, stays):
    made = [TaskState(id, {"example_id": "e", "codebook": book}, count) for id, book, count in states]
    for order in (made, made[::-1]):
        kept, extra = choose_tasks(order, "now")
        assert kept["e"].id == stays
        assert len(extra) == 1


@pytest.mark.slow
class TestPush:
    def test_creates_the_project_and_sends_all(self, studio, title):
        done = send(studio, title)
        assert (done.sent, done.there, done.project.tasks, done.project.overlap) == (30, 0, 30, 2)
        assert done.project.interface == render(BOOK, "stance")
        assert held(studio, title) == once()

    def test_again_sends_nothing_and_more_sends_the_rest(self, studio, title):
        assert send(studio, title, EXAMPLES[:10], overlap=3).project.overlap == 3
        again = send(studio, title, EXAMPLES[:10])
        assert (again.sent, again.there, again.project.overlap) == (0, 10, 3)
        assert send(studio, title, EXAMPLES * 2).sent == 20
        assert held(studio, title) == once()

    def test_planning_changes_nothing(self, studio, title):
        plan = plan_push(studio, EXAMPLES, BOOK, Wish(title))
        assert (plan.project, len(plan.send)) == (None, 30)
        assert studio.projects(title) == []

    def test_a_bad_example_stops_it_before_anything_is_sent(self, studio, title):
        nobody = replace(EXAMPLES[0], actor=None, mention=None, start=None, end=None)
        with pytest.raises(DataError, match=nobody.id):
            send(studio, title, [*EXAMPLES, nobody])
        assert studio.projects(title) == []

    @pytest.mark.parametrize("name", ["ab", "x" * 51])
    def test_an_impossible_title_is_refused(self, studio, name):
        with pytest.raises(LabelingError, match="3 to 50"):
            send(studio, name)

    def test_markup_long_and_right_to_left_texts_arrive_whole_and_escaped(self, studio, title):
        texts = ["Moscow <script>alert(1)</script><img src=x> & co", "Moscow" + " and on" * 15_000, "Moscow قال طالبان"]
        examples = [example(number, text) for number, text in enumerate(texts)]
        send(studio, title, examples)
        (project,) = studio.projects(title)
        data = {each.example_id: each.data for each in studio.all_tasks(project.id)}
        for one in examples:
            assert json.loads(data[one.id]["example"])["text"] == one.text
        html = data[examples[0].id]["html"]
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;" in html

    def test_repeats_left_by_another_push_go_but_never_work(self, studio, title):
        first = send(studio, title)
        rows = [to_task(each, BOOK, "stance") for each in EXAMPLES[:6]]
        ids = studio.import_tasks(first.project.id, rows)
        studio.annotate(ids[0], to_result({"stance": ("engage",)}, BOOK, "stance"))
        done = send(studio, title)
        assert (done.sent, done.repeated, done.twice) == (0, 6, ())
        assert held(studio, title) == once()
        assert studio.annotated_ids(first.project.id) == {ids[0]: EXAMPLES[0].id}

    def test_two_annotated_tasks_of_one_example_both_stay(self, studio, title):
        first = send(studio, title, EXAMPLES[:1])
        (original,) = studio.existing(first.project.id, [EXAMPLES[0].id])
        (repeat,) = studio.import_tasks(first.project.id, [to_task(EXAMPLES[0], BOOK, "stance")])
        for task in (original.id, repeat):
            studio.annotate(task, to_result({"stance": ()}, BOOK, "stance"))
        done = send(studio, title, EXAMPLES[:1])
        assert (done.repeated, done.twice) == (0, (EXAMPLES[0].id,))

    def test_a_project_deleted_meanwhile_is_named(self, studio, title):
        plan = plan_push(studio, EXAMPLES, BOOK, Wish(title))
        push(studio, plan, BOOK)
        stale = plan_push(studio, [*EXAMPLES, example(99)], BOOK, Wish(title))
        studio.delete_project(stale.project.id)
        with pytest.raises(LabelingError, match="deleted"):
            push(studio, stale, BOOK)
        assert send(studio, title).sent == 30


@pytest.mark.slow
class TestInterface:
    def test_one_changed_by_hand_is_refused_with_what_differs(self, studio, title):
        project = send(studio, title).project
        by_hand = project.interface.replace('value="oppose"', 'value="opposes"')
        studio.update_project(project.id, label_config=by_hand)
        with pytest.raises(LabelingError, match="--migrate") as caught:
            send(studio, title)
        assert "Choice 'oppose': not there" in str(caught.value)
        assert "Choice 'opposes': only there" in str(caught.value)
        send(studio, title, migrate=True)
        assert studio.project(project.id).interface == render(BOOK, "stance")

    def test_another_codebook_is_refused_and_migrates_what_nobody_annotated(self, studio, title):
        project = send(studio, title).project
        newer = reworded()
        (labelled,) = studio.existing(project.id, [EXAMPLES[4].id])
        studio.annotate(labelled.id, to_result({"stance": ("engage",)}, BOOK, "stance"))
        with pytest.raises(LabelingError, match=f"codebook: there {BOOK.hash[:12]}, here {newer.hash[:12]}"):
            send(studio, title, book=newer)
        done = send(studio, title, book=newer, migrate=True)
        assert (done.sent, done.there) == (29, 1)
        assert held(studio, title) == once()
        made_from = Counter(each.data["codebook"] for each in studio.all_tasks(project.id))
        assert made_from == {newer.hash: 29, BOOK.hash: 1}
        assert send(studio, title, book=newer).sent == 0

    def test_a_migration_that_would_invalidate_an_annotation_is_refused(self, studio, title):
        project = send(studio, title).project
        (task,) = studio.existing(project.id, [EXAMPLES[0].id])
        made = studio.annotate(task.id, to_result({"stance": ("sanction",)}, BOOK, "stance"))
        with pytest.raises(LabelingError, match=f"annotation {made} of task {task.id}.*sanction"):
            send(studio, title, book=without_sanction(), migrate=True)
        assert studio.project(project.id).interface == render(BOOK, "stance")


@pytest.mark.slow
class TestPredictions:
    def test_are_sent_with_their_version_which_is_shown(self, studio, title, model):
        done = send(studio, title, models=(model,), blind=True)
        assert done.predicted == 30
        assert done.project.model_version.startswith("taliban-stance ")
        assert not done.project.shows_predictions
        for task in studio.changed_tasks(done.project.id):
            (prediction,) = task["predictions"]
            assert prediction["model_version"] == done.project.model_version
            assert 0 <= prediction["score"] <= 1
            assert prediction["result"]

    def test_are_added_to_tasks_that_lack_them_once(self, studio, title, model):
        send(studio, title)
        done = send(studio, title, models=(model,))
        assert (done.sent, done.predicted) == (0, 30)
        assert send(studio, title, models=(model,)).predicted == 0
        assert {each.predictions for each in studio.all_tasks(done.project.id)} == {1}

    def test_of_a_label_that_the_interface_lacks_are_refused(self, studio, title, model):
        with pytest.raises(StanceError, match="sanction"):
            send(studio, title, book=without_sanction(), models=(model,))
        assert studio.projects(title) == []


@pytest.mark.slow
class TestCommand:
    def test_dry_run_then_push_then_again(self, studio_environment, studio, title, tmp_path, stance_main):
        write_examples(EXAMPLES, tmp_path / "examples.jsonl")
        arguments = ("label", "push", "examples.jsonl", "--project", title)
        dry = stance_main(*arguments, "--dry-run", "--json", cwd=tmp_path)
        assert json.loads(dry.out)["to send"] == 30
        assert studio.projects(title) == []
        first = stance_main(*arguments, cwd=tmp_path)
        assert "sent: 30" in first.out
        assert f"{studio_environment.url}/projects/" in first.out
        assert "push: done" in first.err
        again = stance_main(*arguments, "--json", cwd=tmp_path)
        assert json.loads(again.out)["sent"] == 0
        assert studio_environment.account.token not in dry.out + first.out + first.err + again.err

    def test_a_wrong_token_is_one_line_with_the_mend(self, studio_environment, monkeypatch, tmp_path, stance_main):
        write_examples(EXAMPLES, tmp_path / "examples.jsonl")
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "f" * 40)
        ran = stance_main("label", "push", "examples.jsonl", "--project", "nowhere", cwd=tmp_path)
        assert ran.status == 1
        assert "token is refused" in ran.err
        assert "f" * 40 not in ran.err
        assert ran.err.strip().count("\n") == 0
