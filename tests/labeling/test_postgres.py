"""Label Studio on PostgreSQL, chosen by its own variables: tasks go there, answers come back, a restart keeps them."""

import pytest

from experiments.teams.postgres import DATABASES, OWNER, start_postgres
from experiments.teams.server import labeling_settings
from labeling import server as servers
from labeling.client import Studio
from labeling.installation import VARIABLES
from labeling.plan import Wish, plan_push
from labeling.pull import pull
from labeling.push import push
from labeling.settings import URL
from labeling.tasks import to_result
from stance import codebook as codebooks
from stance.records import Example
from stance.tracking.serving.network import listen

pytestmark = pytest.mark.slow

BOOK = codebooks.load()
TEXTS = ("Moscow hosted a delegation.", "Moscow \0 <b>met</b> 🤝 وفد", "Moscow " + "spoke " * 5000)
EXAMPLES = [Example(text, "Russia", "Moscow", 0, 6, doc_id=f"d{number}") for number, text in enumerate(TEXTS)]


@pytest.fixture
def postgres(postgres_folder):
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    folder = postgres_folder / "labeling"
    folder.mkdir(mode=0o711)
    names = (OWNER, *DATABASES)
    with start_postgres(folder, port, {name: f"secret-of-{name}" for name in names}) as started:
        yield started


@pytest.fixture
def start(postgres, label_studio_program, tmp_path, monkeypatch):
    """A function that starts Label Studio on that PostgreSQL; it is stopped in the end."""
    for name in (URL, *VARIABLES.values()):
        monkeypatch.delenv(name, raising=False)
    for name, value in labeling_settings(postgres).items():
        monkeypatch.setenv(name, value)
    started = []

    def begin():
        started.append(servers.start(tmp_path / "studio", 0, label_studio_program))
        servers.wait_until_healthy(started[-1], print)
        return started[-1]

    yield begin
    for server in started:
        server.stop()


def test_tasks_and_answers_are_kept_in_postgresql(start, tmp_path):
    server = start()
    studio = Studio(server.settings)
    pushed = push(studio, plan_push(studio, EXAMPLES, BOOK, Wish("On PostgreSQL")), BOOK)
    again = push(studio, plan_push(studio, EXAMPLES, BOOK, Wish("On PostgreSQL")), BOOK)
    assert (pushed.sent, again.sent, again.there) == (3, 0, 3)
    tasks = {state.example_id: state.id for state in studio.all_tasks(pushed.project.id)}
    for example in EXAMPLES[:2]:
        studio.annotate(tasks[example.id], to_result({"stance": ("engage",)}, BOOK, "stance"))
    server.stop()
    assert not list((tmp_path / "studio").rglob("*.sqlite3"))

    studio = Studio(start().settings)
    pulled = pull(studio, "On PostgreSQL", tmp_path / "labels.jsonl", BOOK)
    assert [one.example for one in pulled.annotations] == EXAMPLES[:2]
    assert {one.labels["stance"] for one in pulled.annotations} == {("engage",)}
