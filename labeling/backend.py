"""Live help: the ML-backend protocol of Label Studio. Tasks enter over HTTP; pre-annotations leave, per actor.

    GET  /health    always open, says only that the process lives
    POST /setup     checks that the project's interface has the labels of the models; answers with their version
    POST /predict   one prediction per task, stamped with that version
    POST /webhook   taken and forgotten: nothing is trained inside a request

Label Studio calls `/health`, `/setup` and `/predict` for each task that is opened. Bad input gets status 400 and one
line that names the task; no answer holds a traceback, or anything of the token that `/setup` is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict, Field

from labeling.annotations import Labels
from labeling.gatekeeper import Credentials, Gatekeeper
from labeling.interface import NONE, questions
from labeling.live import Live, LiveModels
from labeling.tasks import from_task, to_result
from stance.errors import CodebookError, DataError, StanceError
from stance.records import Example, Prediction
from stance.tracking.following import POLL

if TYPE_CHECKING:
    from fastapi import FastAPI

JOINT = " + "
"""Between the versions of several models that answer one task together."""


class Task(BaseModel):
    """A task as Label Studio sends it; only what is read here."""

    model_config = ConfigDict(extra="ignore")

    id: int | str | None = None
    data: dict[str, Any]


class PredictRequest(BaseModel):
    """The body of `/predict`."""

    model_config = ConfigDict(extra="ignore")

    tasks: list[Task]
    label_config: str | None = None


class SetupRequest(BaseModel):
    """The body of `/setup`; the token in it is not kept."""

    model_config = ConfigDict(extra="ignore")

    interface: str = Field(alias="schema")


class Asked(NamedTuple):
    """A task to answer: the example in it and the codebook task that its interface is about."""

    example: Example
    task: str
    where: str


def create_app(models: LiveModels, credentials: Credentials | None = None, poll: float = POLL) -> FastAPI:
    """Return the app. With `credentials` every path but `/health` asks for them (HTTP basic authentication).

    While it runs, the models are looked after every `poll` seconds.
    """
    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        models.watch(poll)
        yield
        models.close()

    app = FastAPI(title="stance live help", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Gatekeeper, credentials=credentials)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "UP"}

    # Without `async` these run in worker threads, so that a long prediction does not hold up `/health`.
    @app.post("/setup")
    def setup(body: SetupRequest) -> dict[str, str]:
        found = models.all()
        check_interface(body.interface, found)
        return {"model_version": version_of(found)}

    @app.post("/predict")
    def predict(body: PredictRequest) -> dict[str, Any]:
        found = models.all()  # once per request: one answer comes from one set of models
        if body.label_config is not None:
            check_interface(body.label_config, found)
        return {"results": answer(body.tasks, found)}

    @app.post("/webhook")
    async def webhook() -> dict[str, str]:
        return {"status": "ignored"}

    @app.exception_handler(RequestValidationError)
    async def unusable(_: Request, error: RequestValidationError) -> JSONResponse:
        # Only place and kind: the input itself may hold the token.
        lines = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()[:5]]
        return JSONResponse({"error": "; ".join(lines)}, 400)

    @app.exception_handler(StanceError)
    async def refused(_: Request, error: StanceError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400 if isinstance(error, DataError | CodebookError) else 500)

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - the server's log has it
        return JSONResponse({"error": "internal error; the log of `stance label serve` has the cause"}, 500)

    return app


def version_of(models: Sequence[Live]) -> str:
    """Return the version that predictions of these models are stamped with."""
    return JOINT.join(live.version for live in models)


def check_interface(config: str, models: Sequence[Live]) -> None:
    """Raise DataError if the interface asks nothing that a model answers, or lacks a label that one may give.

    Wording may differ: definitions can be improved while a champion is in use.
    """
    try:
        root = ET.fromstring(config)  # noqa: S314 - expat refuses entity bombs, and the server has authenticated itself
    except ET.ParseError as error:
        raise DataError(f"the interface is not XML: {error}; make it with `stance label config`") from error
    choices = {
        control.get("name", ""): {choice.get("value") for choice in control.iter("Choice")}
        for control in root.iter("Choices")
    }
    asked = [live.classifier for live in models if live.classifier.task in choices]
    if not asked:
        tasks = " and ".join(live.classifier.task for live in models)
        raise DataError(f"the interface asks nothing about {tasks}; give a model for {', '.join(choices) or 'it'}")
    for classifier in asked:
        if missing := {*classifier.labels, NONE} - choices[classifier.task]:
            raise DataError(
                f"the interface has no {', '.join(sorted(missing))} under '{classifier.task}', which the model may"
                " give; make the project from the model's codebook (`stance label config`)"
            )


def answer(tasks: Sequence[Task], models: Sequence[Live]) -> list[dict[str, Any]]:
    """Return one prediction per task, in order: `model_version`, `score` and `result`.

    `score` is the probability of the least certain label being right, in [0, 1], so that sorting by it shows first
    what the models know least about. Raises DataError naming the first task that cannot be used.
    """
    asked = [_read(task, number) for number, task in enumerate(tasks)]
    results: list[list[dict[str, Any]]] = [[] for _ in asked]
    scores = [1.0] * len(asked)
    served: list[list[Live]] = [[] for _ in asked]
    for live in models:
        rows = [row for row, one in enumerate(asked) if _answers(live, one)]
        per_actor = live.classifier.codebook.task(live.classifier.task).unit == "actor"
        seen = [asked[row].example if per_actor else _sentence(asked[row].example) for row in rows]
        for row, prediction in zip(rows, live.predict(seen), strict=True):
            given: Labels = {live.classifier.task: prediction.labels}
            results[row] += to_result(given, live.classifier.codebook, asked[row].task)
            scores[row] = min(scores[row], certainty(prediction, live.classifier.labels))
            served[row].append(live)
    for one, own in zip(asked, served, strict=True):
        if not own:
            tasks_of = " and ".join(live.classifier.task for live in models)
            raise DataError(f"{one.where}: is about '{one.task}', and the models are for {tasks_of}")
    # Label Studio looks a prediction up by the version that /setup gave, so all carry that of the whole set.
    stamp = version_of(models)
    return [{"model_version": stamp, "score": scores[row], "result": results[row]} for row in range(len(asked))]


def certainty(prediction: Prediction, labels: Sequence[str]) -> float:
    """Return the lowest probability, over the labels, of having been given or left out rightly."""
    pairs = zip(labels, prediction.probabilities, strict=True)
    return min(p if label in prediction.labels else 1 - p for label, p in pairs)


def _read(task: Task, number: int) -> Asked:
    where = f"tasks.{number} (id {task.id})"
    try:
        example = from_task(task.data)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    return Asked(example, str(task.data.get("task") or ""), where)


def _answers(live: Live, one: Asked) -> bool:
    book = live.classifier.codebook
    return one.task in book.tasks and live.classifier.task in questions(book, one.task)


def _sentence(example: Example) -> Example:
    # A model of sentences was trained without actors, and would take the mention's mark for something new.
    return replace(example, actor=None, mention=None, start=None, end=None)
