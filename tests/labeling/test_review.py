"""The review project: what a judge sees, and the whole way from push to a trained model on a real server."""

import json
import re
import secrets
import shutil
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from labeling.adjudication import Bar, for_review, propose
from labeling.annotations import Annotation, read_annotations
from labeling.answers import collect_answers, pseudonyms
from labeling.client import Studio
from labeling.interface import codebook_hash, questions, render
from labeling.review import plan_review, push_review, render_review, review_task
from labeling.settings import Settings
from labeling.tasks import from_task, to_result
from stance import codebook
from stance.errors import LabelingError
from stance.records import Example

BOOK = codebook.load()
EXAMPLE = Example("Russia hosted the Taliban.", actor="Russia", mention="Russia", start=0, end=6, doc_id="d")


def said(annotator, *labels, **more):
    return Annotation(1, more.pop("example", EXAMPLE), annotator, {"stance": labels}, **more)


def tasks_of(annotations):
    answers = collect_answers(annotations, BOOK, "stance")
    letters = pseudonyms(answer.annotator for item in answers.items for answer in item.answers)
    return [review_task(one, letters, BOOK, "stance") for one in for_review(propose(answers, Bar()))]


def test_the_interface_is_the_annotators_own_with_their_choices_above_the_questions():
    xml = render_review(BOOK, "stance")
    assert codebook_hash(xml) == BOOK.hash
    names = re.findall(r'name="(\w+)"', xml)
    assert names[:2] == ["Sentence", "Said"]
    assert [name for name in names if name != "Said"] == re.findall(r'name="(\w+)"', render(BOOK, "stance"))
    assert set(questions(BOOK, "stance")) <= set(names)


def test_a_task_shows_letters_choices_and_comments_and_never_a_name():
    (task,) = tasks_of(
        [
            said("zoe@example.org", "engage", "oppose", comment="both <b>clear</b>"),
            said("ann@example.org"),
            said("kim@example.org", flags=("wrong-actor",)),
        ]
    )
    shown = task["data"]["said"]
    assert re.findall(r"<b>(\w)</b> ([^<]+)", shown) == [
        ("A", "none"), ("B", "flagged it (wrong-actor)"), ("C", "engage, oppose "),
    ]  # fmt: skip
    assert "both &lt;b&gt;clear&lt;/b&gt;" in shown
    assert "example.org" not in json.dumps(task)
    assert from_task(task["data"]) == EXAMPLE


@pytest.fixture(scope="module")
def annotators(studio_server):
    """Two people with accounts of their own: a function of a number to their e-mail address and connection."""
    import httpx

    people = []
    owner = {"Authorization": f"Token {studio_server.account.token}"}
    invite = httpx.get(f"{studio_server.url}/api/invite", headers=owner, timeout=60).json()["invite_url"]
    for _ in range(2):
        email, password = f"{secrets.token_hex(4)}@example.org", secrets.token_urlsafe(12)
        with httpx.Client(base_url=studio_server.url, follow_redirects=True, timeout=60) as browser:
            parts = urlsplit(invite)
            page = browser.get(f"{parts.path}?{parts.query}")
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
            form = {"email": email, "password": password, "csrfmiddlewaretoken": token}
            browser.post(f"{parts.path}?{parts.query}", data=form, headers={"Referer": studio_server.url})
            key = browser.get("/api/current-user/token").json()["token"]
        people.append((email, Studio(Settings(studio_server.url, key))))
    return people


@pytest.mark.slow
def test_a_review_is_sent_once_and_renewed_only_where_nobody_judged(studio, title):
    others = [replace(EXAMPLE, index=number) for number in range(1, 4)]
    annotations = [said(name, *given, example=one) for one in others for name, given in (("a", ("engage",)), ("b", ()))]
    tasks = tasks_of(annotations)
    project = push_review(studio, plan_review(studio, title, "stance", tasks, BOOK), BOOK)
    assert project.tasks == 3
    again = plan_review(studio, title, "stance", tasks, BOOK)
    assert (again.send, again.there) == ((), 3)

    states = {state.example_id: state for state in studio.existing(project.id, [one.id for one in others])}
    studio.annotate(states[others[0].id].id, to_result({"stance": ("engage",)}, BOOK, "stance"))
    changed = tasks_of(
        [*annotations, *(said("a", "oppose", example=one, updated_at="2026-01-01") for one in others[:2])]
    )
    renewed = plan_review(studio, title, "stance", changed, BOOK)
    assert [one["data"]["example_id"] for one in renewed.send] == [others[1].id]
    assert push_review(studio, renewed, BOOK).tasks == 3
    (state,) = studio.existing(project.id, [others[1].id])
    assert "oppose" in state.data["said"]


@pytest.mark.slow
def test_a_project_that_annotators_label_is_not_taken_for_a_review(studio, title):
    studio.create_project(title, render(BOOK, "stance"))
    with pytest.raises(LabelingError, match=r"is no review of 'stance'.*Said.*new project"):
        plan_review(studio, title, "stance", tasks_of([said("a", "engage"), said("b")]), BOOK)


@pytest.mark.slow
def test_from_push_over_two_annotators_and_a_judge_to_a_trained_model(  # noqa: PLR0917 - one fixture per real part
    studio, studio_environment, annotators, title, tiny_examples, store_template, tmp_path, stance_main
):
    shutil.copy(store_template, tmp_path)

    def stance(*arguments):
        ran = stance_main(*arguments, cwd=tmp_path)
        assert ran.status == 0, ran.err
        return ran

    from stance.dataset import read_examples, write_examples

    documents = {}
    for one in tiny_examples:
        documents.setdefault(one.doc_id, []).append(one)
    chosen = {one.id: one for own in documents.values() for one in own[:2]}
    write_examples((replace(one, labels=None) for one in chosen.values()), tmp_path / "examples.jsonl")
    stance("label", "push", "examples.jsonl", "--project", title)
    tasks = {state.example_id: state.id for state in studio.existing(studio.find_project(title).id, chosen)}

    disputed, skipped, *_ = [name for name, one in chosen.items() if one.labels]
    for number, (_, person) in enumerate(annotators):
        for name, one in chosen.items():
            given = () if number and name == disputed else one.labels
            result = to_result({"stance": given}, BOOK, "stance")
            person.annotate(tasks[name], result, was_cancelled=name == skipped)
    stance("label", "pull", "--project", title, "-o", "annotations.jsonl")
    pulled = read_annotations(tmp_path / "annotations.jsonl", BOOK)
    assert {one.annotator for one in pulled} == {email for email, _ in annotators}
    assert len(pulled) == 2 * len(chosen)

    found = json.loads(stance("label", "agreement", "annotations.jsonl", "--json", "--resamples", 50).out)
    assert found["overall"]["sets"]["raw"] == pytest.approx(1 - 1 / (len(chosen) - 1))
    assert [one["id"] for one in found["differences"]] == [disputed]

    review = f"{title} r"
    try:
        stance("label", "adjudicate", "annotations.jsonl", "--review", review, "--dry-run")
        assert studio.projects(review) == []
        assert "1 to send" in stance("label", "adjudicate", "annotations.jsonl", "--review", review).err
        (state,) = studio.existing(studio.find_project(review).id, chosen)
        assert state.example_id == disputed
        assert not any(email in json.dumps(state.data) for email, _ in annotators)
        studio.annotate(state.id, to_result({"stance": chosen[disputed].labels}, BOOK, "stance"))
        stance("label", "pull", "--project", review, "-o", "verdicts.jsonl")
    finally:
        for project in studio.projects(review):
            studio.delete_project(project.id)

    written = stance("label", "gold", "annotations.jsonl", "--verdicts", "verdicts.jsonl", "-o", "gold.jsonl", "--json")
    assert json.loads(written.out)["decided"] == {"unanimous": len(chosen) - 2, "verdict": 1}
    assert json.loads(written.out)["left_out"] == {"skipped": 1}
    gold = {one.id: one for one in read_examples(tmp_path / "gold.jsonl")}
    assert gold == {name: one for name, one in chosen.items() if name != skipped}

    (tmp_path / "linear.yaml").write_text("name: linear\nmodel: {kind: tfidf-linear}\n")
    assert "macro f1" in stance("train", "linear.yaml", "data=gold.jsonl").out
