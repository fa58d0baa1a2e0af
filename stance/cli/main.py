"""The `stance` command: a verb per stage, each in its own file, imported only when it is called."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click

from stance.cli.verbs import Verbs
from stance.errors import StanceError
from stance.version import __version__

COMMANDS = {
    "codebook": ("stance.cli.codebook", "Show the codebook, or check another one."),
    "ingest": ("stance.cli.ingest", "Read articles into examples: sentences seen from each actor."),
    "import": ("stance.cli.importing", "Read a public data set into examples."),
    "train": ("stance.cli.train", "Train, evaluate and track a model from an experiment file."),
    "evaluate": ("stance.cli.evaluate", "Score a recipe on another split, or a model on another file."),
    "probe": ("stance.cli.probe", "Change sentences in known ways and see where a model fails."),
    "runs": ("stance.cli.runs", "List the tracked runs."),
    "compare": ("stance.cli.runs", "Show two runs side by side."),
    "promote": ("stance.cli.promote", "Register the best run and make it the champion."),
    "export": ("stance.cli.export", "Make a faster model of an encoder, which needs no torch: an ONNX graph."),
    "predict": ("stance.cli.predict", "Find who takes which stance in raw articles."),
    "monitor": ("stance.cli.monitor", "Test whether new data have drifted from what a model was trained on."),
    "serve": ("stance.cli.serve", "Answer requests over HTTP with the champion."),
    "report": ("stance.cli.report", "Show who takes which stance as a page: over time, by outlet, with evidence."),
    "label": ("stance.cli.label", "Label in Label Studio: push, pull, agree, adjudicate, choose what is next."),
}


@click.group(
    cls=Verbs, verbs=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="stance-kit")
def stance() -> None:
    """Who takes which position: per-actor stance toward a target, and frames, in news sentences."""


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 a StanceError, 2 usage, 3 the promotion gate said no, 130 stopped.

    SIGTERM, as schedulers send it, ends work as Ctrl-C does: a run is closed as FAILED, and what was done is kept.
    """
    signal.signal(signal.SIGTERM, _stop)
    try:
        stance(standalone_mode=False)
    except StanceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
