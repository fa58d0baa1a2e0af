"""`stance label serve`: a model's answers in Label Studio while people label."""

from __future__ import annotations

import click


@click.command()
@click.option("--model", "models", multiple=True, required=True, help="A model's URI or bundle folder; one per task.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; others than this machine need a password."
)
@click.option("--port", default=9090, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@click.option("--attach", "project", metavar="PROJECT", help="Make this Label Studio project ask for predictions.")
@click.option("--url", help="The address at which Label Studio reaches this backend, where it is not --host.")
@click.option(
    "--poll",
    default=15.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds between looks for a new champion.",
)
@click.option("--dry-run", is_flag=True, help="Load the models, find the project, say what would be done, and stop.")
def serve(
    models: tuple[str, ...], host: str, port: int, project: str | None, url: str | None, poll: float, dry_run: bool
) -> None:
    """Serve models as a Label Studio ML backend until interrupted; a new champion is taken up by itself."""
    from labeling.backend import create_app
    from labeling.gatekeeper import read_credentials
    from labeling.live import LiveModels
    from labeling.serving import attach
    from labeling.serving import serve as run_server
    from stance.tracking.serving.network import address_of, listen

    credentials = read_credentials(host)
    told = _plan(project) if dry_run and project else ""
    live = LiveModels(models, report=lambda line: click.echo(line, err=True))
    with listen(host, port) as listener:
        address = url or address_of(listener)
        for each in live.all():
            click.echo(f"{each.classifier.task}: {each.version} ({each.uri})", err=True)
        if dry_run:
            click.echo(f"would serve at {address}{told}")
            return

        def started() -> None:
            click.echo(f"serving at {address}; stop with Ctrl+C", err=True)
            if project is not None:
                from labeling.client import Studio

                done = attach(Studio.connect(), project, address, credentials)
                click.echo(f"attached to '{project}' (project {done.project})", err=True)
                if not done.shown:
                    click.echo("this project hides predictions: annotators label blind until you change that", err=True)

        run_server(create_app(live, credentials, poll), listener, started)


def _plan(project: str) -> str:
    """What --attach would do to a project that is there."""
    from labeling.client import Studio
    from labeling.serving import find_place

    studio = Studio.connect()
    place = find_place(studio, project)
    renewed = f", in the place of {place.backend.url}" if place.backend else ""
    hidden = "" if place.project.shows_predictions else "; the project hides predictions from annotators"
    return f" and attach it to '{project}' ({studio.url}/projects/{place.project.id}){renewed}{hidden}"
