"""The one door to Label Studio: every request of the kit passes here, and only this module imports the SDK.

What enters and leaves is plain records and mappings. Every error of the SDK or of the network becomes a `LabelingError`
that says what was tried and how to mend it; the token is in none of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from labeling import filters
from labeling.failures import NotThere, wrap_errors
from labeling.filters import Filter
from labeling.settings import URL, Settings, read_settings
from labeling.state import Backend, Project, Row, TaskState, User, name_of, read_project
from stance.errors import LabelingError

ASK = 500  # example ids per query: they travel in the address, which has room for some 3000
PAGE = 1000
WHOLE = 200  # tasks with all that hangs on them
TIMEOUT = 300.0  # seconds; a large import on a slow disk, not a hang
ONCE: dict[str, Any] = {
    "max_retries": 0,
    "timeout_in_seconds": int(TIMEOUT),
}  # the SDK would repeat a POST that the server carried out


class Studio:
    """A connection to one server. `Studio(read_settings())`, or `Studio.connect()`.

    Reading is tried three times, whatever changes something only once. Every method raises LabelingError;
    its subclass `Interrupted` where the connection broke and the request may or may not have been carried out,
    `NotThere` where a project or task does not exist.
    """

    def __init__(self, settings: Settings) -> None:
        from label_studio_sdk import LabelStudio

        self.url = settings.url
        with self._wrapping("connecting"):
            self._sdk = LabelStudio(base_url=settings.url, api_key=settings.key, timeout=TIMEOUT)

    @classmethod
    def connect(cls) -> Studio:
        """Return a connection to the server of the environment (see `read_settings`)."""
        return cls(read_settings())

    def version(self) -> str:
        """Return Label Studio's version, such as `1.23.2`; it needs no valid token."""
        with self._wrapping("asking for the version"):
            release = self._sdk.versions.get().release
        if not release:
            raise LabelingError(f"{self.url} answers, but not as Label Studio does; check {URL}")
        return str(release)

    def whoami(self) -> User:
        """Return the token's owner with all that they may do."""
        with self._wrapping("asking who we are"):
            user = self._sdk.users.whoami()
            return User(int(user.id), str(user.email), name_of(user), tuple(map(str, user.permissions or ())))

    def users(self) -> dict[int, User]:
        """Return everybody with an account by id; somebody who was deleted is not there."""
        with self._wrapping("listing the users"):
            return {int(u.id): User(int(u.id), str(u.email), name_of(u)) for u in self._sdk.users.list()}

    def projects(self, title: str) -> list[Project]:
        """Return the projects of exactly this title, oldest first; Label Studio lets several share one."""
        with self._wrapping(f"looking for the project '{title}'"):
            # The server's filter finds the title anywhere in a longer one.
            ids = sorted(int(p.id) for p in self._sdk.projects.list(title=title, page_size=100) if p.title == title)
        return [self.project(each) for each in ids]

    def find_project(self, title: str) -> Project:
        """Return the one project of exactly this title; raises LabelingError if there is none, or several."""
        found = self.projects(title)
        if not found:
            raise NotThere(f"{self.url} has no project '{title}'; make it with `stance label push FILE --project`")
        if len(found) > 1:
            ids = ", ".join(str(each.id) for each in found)
            raise LabelingError(f"{self.url} has {len(found)} projects '{title}' (ids {ids}); rename all but one")
        return found[0]

    def project(self, project_id: int) -> Project:
        """Return a project by id, counts included."""
        with self._wrapping(f"reading project {project_id}"):
            return read_project(self._sdk.projects.get(project_id))

    def create_project(self, title: str, interface: str, **settings: Any) -> Project:
        """Create a project. `settings` are Label Studio's own: maximum_annotations, description, expert_instruction…"""
        with self._wrapping(f"creating the project '{title}'"):
            made = self._sdk.projects.create(title=title, label_config=interface, request_options=ONCE, **settings)
        return self.project(int(made.id))

    def update_project(self, project_id: int, **settings: Any) -> Project:
        """Change Label Studio's own settings of a project: label_config, description, model_version…"""
        with self._wrapping(f"changing project {project_id}"):
            self._sdk.projects.update(project_id, **settings)
        return self.project(project_id)

    def delete_project(self, project_id: int) -> None:
        """Delete a project with all its tasks and annotations."""
        with self._wrapping(f"deleting project {project_id}"):
            self._sdk.projects.delete(project_id, request_options=ONCE)

    def import_tasks(self, project_id: int, tasks: Sequence[Row]) -> list[int]:
        """Send tasks (`data`, and `predictions` or `annotations` where there are any) and return their ids in order.

        All of them are stored or none. After `Interrupted` nobody knows which: ask `existing` before sending again.
        """
        with self._wrapping(f"sending {len(tasks)} tasks"):
            done = self._sdk.projects.import_tasks(
                id=project_id, request=list(tasks), return_task_ids=True, request_options=ONCE
            )
            ids = [int(each) for each in done.task_ids or ()]
        if len(ids) != len(tasks):
            raise LabelingError(f"{self.url} stored {len(ids)} of {len(tasks)} tasks; run the command again")
        return ids

    def import_predictions(self, project_id: int, predictions: Sequence[Row]) -> None:
        """Add predictions (`task` id, `model_version`, `score`, `result`) to tasks that are there."""
        with self._wrapping(f"sending {len(predictions)} predictions"):
            self._sdk.projects.import_predictions(id=project_id, request=list(predictions), request_options=ONCE)

    def annotate(self, task_id: int, result: Sequence[Row], **settings: Any) -> int:
        """Add an annotation of the token's owner to a task and return its id (`was_cancelled=True`: skipped)."""
        with self._wrapping(f"annotating task {task_id}"):
            made = self._sdk.annotations.create(
                id=task_id, result=[dict(each) for each in result], request_options=ONCE, **settings
            )
            return int(made.id)

    def backends(self, project_id: int) -> list[Backend]:
        """Return the ML backends of a project; the server asks only the first."""
        with self._wrapping(f"listing the ML backends of project {project_id}"):
            return [Backend(int(each.id), each.title, each.url) for each in self._sdk.ml.list(project=project_id)]

    def attach_backend(self, project_id: int, there: Backend | None, **settings: Any) -> int:
        """Add an ML backend to a project, or renew the one that is there, and return its id; the server calls it first.

        `settings` are Label Studio's own: title, url, auth_method, basic_auth_user, basic_auth_pass…
        """
        with self._wrapping(f"attaching {settings['url']} to project {project_id}"):
            if there is None:
                return int(self._sdk.ml.create(project=project_id, request_options=ONCE, **settings).id)
            self._sdk.ml.update(there.id, project=project_id, request_options=ONCE, **settings)
            return there.id

    def existing(self, project_id: int, example_ids: Iterable[str]) -> Iterator[TaskState]:
        """Yield the tasks that hold one of these examples, without their annotations."""
        remaining = iter(example_ids)
        while batch := list(islice(remaining, ASK)):
            yield from self._pages(project_id, [filters.examples(batch)])

    def predicted_ids(self, project_id: int, example_ids: Iterable[str], version: str) -> set[int]:
        """Return the ids of those tasks of these examples that have a prediction of a model's version."""
        remaining, found = iter(example_ids), set()
        while batch := list(islice(remaining, ASK)):
            states = self._pages(project_id, [filters.examples(batch), filters.predicted(version)])
            found |= {state.id for state in states}
        return found

    def annotated_tasks(self, project_id: int) -> Iterator[dict[str, Any]]:
        """Yield whole tasks that have an annotation that was not skipped; see `changed_tasks`."""
        for page in self._raw_pages(project_id, [filters.ANNOTATED], fields="all", page_size=WHOLE):
            yield from (json.loads(each.json()) for each in page)

    def skipped_tasks(self, project_id: int) -> Iterator[dict[str, Any]]:
        """Yield whole tasks that somebody skipped; see `changed_tasks`."""
        for page in self._raw_pages(project_id, [filters.SKIPPED], fields="all", page_size=WHOLE):
            yield from (json.loads(each.json()) for each in page)

    def all_tasks(self, project_id: int) -> Iterator[TaskState]:
        """Yield every task of a project by rising id, without annotations. 10,000 take about ten seconds."""
        yield from self._pages(project_id, [])

    def annotated_ids(self, project_id: int) -> dict[int, str]:
        """Return the tasks with an annotation, skipped ones too: example id by task id."""
        found: dict[int, str] = {}
        for kind in (filters.ANNOTATED, filters.SKIPPED):
            found |= {state.id: state.example_id for state in self._pages(project_id, [kind])}
        return dict(sorted(found.items()))

    def changed_tasks(self, project_id: int, since: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield whole tasks (`id`, `data`, `annotations`, `predictions`, `updated_at`) by rising id.

        `since` is a time in UTC as `2026-11-22T02:31:56.527815Z`; without it all tasks come. An annotation that was
        made, changed, skipped or deleted changes its task; `completed_by` is a user's id.
        """
        changed = [] if since is None else [filters.changed_after(since)]
        for page in self._raw_pages(project_id, changed, fields="all", page_size=WHOLE):
            yield from (json.loads(each.json()) for each in page)

    def delete_tasks(self, project_id: int, task_ids: Sequence[int]) -> None:
        """Delete tasks with all that hangs on them, sparing those that have an annotation by now."""
        for start in range(0, len(task_ids), ASK):
            part = list(task_ids[start : start + ASK])
            # Filtered by the server in the same request: an annotator may submit between our looking and our deleting.
            with self._wrapping(f"removing {len(part)} repeated tasks"):
                self._sdk.actions.create(
                    id="delete_tasks",
                    project=project_id,
                    filters=filters.together(filters.where("id", "in_list", "Number", part), *filters.UNTOUCHED),
                    selected_items={"all": True, "excluded": []},
                    request_options=ONCE,
                )

    def _pages(self, project_id: int, conditions: list[Filter]) -> Iterator[TaskState]:
        include = "id,data,total_annotations,cancelled_annotations,total_predictions"
        for page in self._raw_pages(project_id, conditions, fields="task_only", include=include, page_size=PAGE):
            for each in page:
                count = (each.total_annotations or 0) + (each.cancelled_annotations or 0)
                yield TaskState(int(each.id), dict(each.data or {}), count, each.total_predictions or 0)

    def _raw_pages(self, project_id: int, conditions: list[Filter], **how: Any) -> Iterator[list[Any]]:
        last = 0
        while True:
            # By id and not by page number: the tasks that leave or join the filter meanwhile cannot hide another one.
            later = filters.where("id", "greater", "Number", last)
            query = json.dumps({"filters": filters.together(*conditions, later), "ordering": ["tasks:id"]})
            with self._wrapping(f"listing the tasks of project {project_id}"):
                page = list(self._sdk.tasks.list(project=project_id, query=query, page=1, **how).items or ())
            if not page:
                return
            yield page
            last = max(int(each.id) for each in page)

    def _wrapping(self, doing: str) -> AbstractContextManager[None]:
        from label_studio_sdk.core.api_error import ApiError
        from label_studio_sdk.core.parse_error import ParsingError

        return wrap_errors(self.url, doing, (ApiError, ParsingError))


def check_results(interface: str, results: Iterable[Sequence[Row]]) -> list[str]:
    """Return what in each result does not fit an interface, such as an unknown label: one text each, "" if it fits.

    The rules are the SDK's; no server is asked.
    """
    from label_studio_sdk.label_interface import LabelInterface

    checker = LabelInterface(interface)
    checked = (checker.validate_prediction({"result": list(each)}, return_errors=True) for each in results)
    return ["; ".join(map(str, problems)) for problems in checked]
