import logging

import pytest

from labeling.client import Studio
from labeling.failures import Interrupted, NotThere
from labeling.settings import Settings
from stance.errors import LabelingError

pytestmark = pytest.mark.slow

INTERFACE = """<View><Text name="text" value="$text"/>
<Choices name="stance" toName="text" choice="multiple">
<Choice value="engage"/><Choice value="oppose"/></Choices></View>"""


def task(name, **more):
    return {"data": {"example_id": name, "text": f"Text of {name}.", **more}}


def answer(*labels):
    return [{"from_name": "stance", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}]


@pytest.fixture
def project(studio, title):
    return studio.create_project(title, INTERFACE, maximum_annotations=2)


def test_version_and_owner(studio, studio_server):
    assert studio.version() == "1.23.2"
    me = studio.whoami()
    assert me.email == studio_server.account.username
    assert "projects.create" in me.permissions
    assert studio.users()[me.id].email == me.email


def test_a_project_is_found_by_its_exact_title(studio, project, title):
    assert studio.find_project(title) == project
    with pytest.raises(NotThere, match=title[:-1]):
        studio.find_project(title[:-1])
    twin = studio.create_project(title, INTERFACE)
    with pytest.raises(LabelingError, match=f"ids {project.id}, {twin.id}"):
        studio.find_project(title)


def test_a_project_keeps_its_interface_to_the_letter(studio, project):
    assert project.interface == INTERFACE
    changed = studio.update_project(project.id, description="mine", show_collab_predictions=False)
    assert (changed.description, changed.shows_predictions, changed.overlap) == ("mine", False, 2)


def test_tasks_go_in_and_are_found_by_example(studio, project):
    ids = studio.import_tasks(project.id, [task(f"e{number}") for number in range(1200)])
    assert len(set(ids)) == 1200
    found = {state.example_id: state.id for state in studio.existing(project.id, ["e3", "e1199", "other"])}
    assert found == {"e3": ids[3], "e1199": ids[1199]}
    assert [state.id for state in studio.all_tasks(project.id)] == sorted(ids)
    many = [f"e{number}" for number in range(1200)]
    assert {state.example_id for state in studio.existing(project.id, many)} == set(many)


def test_changes_skips_and_deletions_are_seen(studio, project):
    first, second, third = studio.import_tasks(project.id, [task(name) for name in "abc"])
    before = max(each["updated_at"] for each in studio.changed_tasks(project.id))
    studio.annotate(first, answer("engage"), lead_time=2.5)
    studio.annotate(second, [], was_cancelled=True)
    changed = {each["id"]: each for each in studio.changed_tasks(project.id, before)}
    assert changed.keys() == {first, second}
    assert changed[first]["annotations"][0]["result"] == answer("engage")
    assert changed[first]["annotations"][0]["completed_by"] == studio.whoami().id
    assert changed[second]["annotations"][0]["was_cancelled"]
    assert studio.annotated_ids(project.id) == {first: "a", second: "b"}
    assert studio.project(project.id).skipped == 1
    assert third not in changed


def test_a_task_with_an_annotation_is_never_deleted(studio, project):
    labelled, skipped, untouched = studio.import_tasks(project.id, [task(name) for name in "abc"])
    studio.annotate(labelled, answer("engage"))
    studio.annotate(skipped, [], was_cancelled=True)
    studio.delete_tasks(project.id, [labelled, skipped, untouched])
    assert [state.id for state in studio.all_tasks(project.id)] == [labelled, skipped]


def test_predictions_are_added_to_tasks(studio, project):
    (only,) = studio.import_tasks(project.id, [task("a")])
    prediction = {"task": only, "model_version": "m1", "score": 0.5, "result": answer("oppose")}
    studio.import_predictions(project.id, [prediction])
    (state,) = studio.existing(project.id, ["a"])
    assert state.predictions == 1


def test_a_prediction_with_an_unknown_label_is_refused_whole(studio, project):
    wrong = {**task("b"), "predictions": [{"model_version": "m1", "result": answer("zzz")}]}
    with pytest.raises(LabelingError, match="zzz"):
        studio.import_tasks(project.id, [task("a"), wrong])
    assert list(studio.all_tasks(project.id)) == []


@pytest.mark.parametrize(
    "text",
    [
        "طالبان با نمایندگان روسیه دیدار کردند. \u202bשלום\u202c",
        "x" * 100_000,
        "<script>alert(1)</script><img src=x onerror=alert(2)> & &amp;",
        "🇦🇫 \U0001f9ff e\u0301",
    ],
    ids=["right-to-left", "100 kB", "markup", "emoji"],
)
def test_any_text_comes_back_as_it_was(studio, project, text):
    studio.import_tasks(project.id, [task("a", body=text)])
    (back,) = studio.changed_tasks(project.id)
    assert back["data"]["body"] == text


@pytest.mark.parametrize(
    "key", ["0" * 40, "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2ln"], ids=["old", "jwt"]
)
def test_a_wrong_token_is_refused_with_the_mend(studio_server, key):
    with pytest.raises(LabelingError, match="LABEL_STUDIO_API_KEY") as caught:
        Studio(Settings(studio_server.url, key)).whoami()
    assert key not in str(caught.value)


def test_no_server_and_no_label_studio_are_told_apart(studio_server):
    with pytest.raises(Interrupted, match="make label-studio"):
        Studio(Settings("http://127.0.0.1:9", "0" * 40)).version()
    with pytest.raises(LabelingError, match="LABEL_STUDIO_URL"):
        Studio(Settings(f"{studio_server.url}/elsewhere", studio_server.account.token)).whoami()


def test_a_deleted_project_is_said_to_be_gone(studio, project):
    studio.delete_project(project.id)
    for request in (
        lambda: studio.project(project.id),
        lambda: list(studio.all_tasks(project.id)),
        lambda: studio.import_tasks(project.id, [task("a")]),
    ):
        with pytest.raises(NotThere, match="deleted"):
            request()


def test_what_cannot_be_sent_is_said_to_be_so(studio, project):
    with pytest.raises(LabelingError, match="surrogate"):
        studio.import_tasks(project.id, [task("a", body="\ud800")])
    with pytest.raises(LabelingError, match="cannot be sent"):
        studio.import_tasks(project.id, [task("a", body=float("nan"))])
    with pytest.raises(LabelingError, match='"text" key is expected'):
        studio.import_tasks(project.id, [{"data": {"example_id": "a"}}])


def test_the_token_reaches_no_log_and_no_error(studio_server, caplog):
    caplog.set_level(logging.DEBUG)
    token = studio_server.account.token
    studio = Studio(studio_server.settings)
    studio.whoami()
    with pytest.raises(LabelingError) as caught:
        studio.project(10**6)
    assert caplog.records
    assert token not in caplog.text + repr(studio_server) + repr(studio_server.settings) + repr(caught.getrepr())
    assert token not in studio_server.log.read_text()
