"""`stance export`: a model that scores faster, and without torch."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from stance.cli.progress import bar


@click.command()
@click.argument("model")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A folder for the bundle; default: MODEL itself.")
@click.option("--runtime", type=click.Choice(["onnx"]), default="onnx", show_default=True, help="What will run it.")
@click.option("--int8", is_flag=True, help="Compute in 8-bit integers: faster and smaller, a little less exact.")
@click.option("--data", type=click.Path(path_type=Path), help="The labelled file that it was trained on, if any.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def export(model: str, output: Path | None, runtime: str, int8: bool, data: Path | None, as_json: bool) -> None:  # noqa: ARG001
    """Write MODEL (a bundle's folder, models:/… or runs:/…) as a bundle whose encoders run in ONNX Runtime.

    It is kept only if it answers the validation examples as MODEL does.
    """
    from stance.exporting import export_bundle, read_parts
    from stance.models.bundle import read_bundle

    remote = model.startswith(("models:", "runs:"))
    if remote and output is None:
        raise click.UsageError("a registered model is not changed: give -o FOLDER for its export")
    if remote:
        from stance.tracking.loading import fetch_bundle

        folder = fetch_bundle(model)
    else:
        folder = Path(model).expanduser()
    bundle = read_bundle(folder)
    parts = read_parts(bundle, data)
    with bar("export") as progress:
        done = export_bundle(bundle, output or folder, parts, "int8" if int8 else "fp32", progress)
    same = done.agreement
    if as_json:
        click.echo(json.dumps({**asdict(done), "folder": str(done.folder)}, indent=1))
        return
    click.echo(
        f"{done.folder}: {done.n_encoders} encoders in {done.precision}, {done.n_bytes / 1e6:.0f} MB; on "
        f"{same.n_examples} validation examples {same.labels:.2%} of the labels are the torch model's, "
        f"macro-F1 {same.macro_f1:.3f} (torch: {same.macro_f1_torch:.3f})"
    )
