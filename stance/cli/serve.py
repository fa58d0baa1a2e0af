"""`stance serve`: the champion behind MLflow's scoring protocol, over HTTP."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--task", default="stance", show_default=True, help="The task whose champion answers.")
@click.option("--model", "uri", metavar="URI", help="Another address: models:/name@alias, models:/name/2, runs:/…")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; others than this machine need a token."
)
@click.option("--port", default=5001, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that answer.")
@click.option("--max-rows", default=1000, show_default=True, type=click.IntRange(1), help="Rows in one request.")
@click.option(
    "--max-bytes", default=4 * 2**20, show_default=True, type=click.IntRange(1024), help="Bytes of a request's body."
)
@click.option(
    "--poll",
    default=15.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds between looks for a new champion.",
)
def serve(
    task: str,
    uri: str | None,
    codebook: Path | None,
    host: str,
    port: int,
    workers: int,
    max_rows: int,
    max_bytes: int,
    poll: float,
) -> None:
    """Answer requests with the champion until interrupted; a new champion is taken up by itself.

    POST rows to /invocations as MLflow's scoring server takes them; /openapi.json says what is asked and answered.
    Others than this machine must send the token in STANCE_SERVE_TOKEN.
    """
    from stance import codebook as codebooks
    from stance.tracking.serving.app import Limits, Settings
    from stance.tracking.serving.door import read_token
    from stance.tracking.serving.network import listen
    from stance.tracking.serving.server import run

    token = read_token(host)
    model = uri or f"models:/{codebooks.load(codebook).registered_model(task)}@champion"
    with listen(host, port) as listener:
        settings = Settings(model, token, Limits(max_rows, max_bytes), poll)
        run(settings, listener, workers, say)


def say(line: str) -> None:
    """Print a line of the service's; each worker process calls this by its name."""
    click.echo(line, err=True)
