"""`stance export`: a model that scores faster, and without torch."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.cli.progress import bar
from stance.wording import counted

if TYPE_CHECKING:
    from stance.exporting import Exported


@click.command()
@click.argument("model")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A folder for the bundle; default: MODEL itself.")
@click.option("--runtime", type=click.Choice(["onnx"]), default="onnx", show_default=True, help="What will run it.")
@click.option("--int8", is_flag=True, help="Compute in 8-bit integers: faster and smaller, a little less exact.")
@click.option("--data", type=click.Path(path_type=Path), help="The labelled file that it was trained on, if any.")
@click.option("--register", is_flag=True, help="Make it a version of the registered MODEL, and move the alias to it.")
@click.option("--dry-run", is_flag=True, help="Export and check, but write and register nothing.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def export(
    model: str,
    output: Path | None,
    runtime: str,  # noqa: ARG001 - there is only one
    int8: bool,
    data: Path | None,
    register: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write MODEL (a bundle's folder, models:/… or runs:/…) as a bundle whose encoders run in ONNX Runtime.

    It is kept only if it answers the validation examples as MODEL does.
    """
    from stance.exporting import export_bundle, read_parts
    from stance.models.bundle import read_bundle
    from stance.tracking.exports import find_place, register_export
    from stance.tracking.loading import fetch_bundle

    stored = model.startswith(("models:", "runs:"))
    if stored and output is None and not register and not dry_run:
        raise click.UsageError("what is logged is not changed: give -o FOLDER for the export, or --register")
    place = find_place(model) if register else None
    bundle = read_bundle(fetch_bundle(model) if stored else Path(model).expanduser())
    parts = read_parts(bundle, data)
    with _folder(None if dry_run else output or (None if register else bundle.folder)) as folder:
        with bar("export") as progress:
            done = export_bundle(bundle, folder, parts, "int8" if int8 else "fp32", progress)
        facts: dict[str, Any] = {**asdict(done), "folder": None if output is None or dry_run else str(output)}
        if place is not None:
            facts |= {"model": place.model, "export_of": place.version, "alias": place.alias}
            facts["version"] = None if dry_run else register_export(model, folder)
    click.echo(json.dumps(facts, indent=1) if as_json else _describe(done, facts, dry_run))


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The folder given, or one that is gone afterwards."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="stance-") as place:
        yield Path(place) / "bundle"


def _describe(done: Exported, facts: dict[str, Any], dry_run: bool) -> str:
    same = done.agreement
    where = "not written" if dry_run else done.folder if facts["folder"] or "model" not in facts else "exported"
    lines = [
        f"{where}: {counted(done.n_encoders, 'encoder')} in {done.precision}, {done.n_bytes / 1e6:.0f} MB; on "
        f"{counted(same.n_examples, 'validation example')} {same.labels:.2%} of the labels are the torch model's, "
        f"macro-F1 {same.macro_f1:.3f} (torch: {same.macro_f1_torch:.3f})"
    ]
    if "model" in facts:
        name = "its next version" if dry_run else f"version {facts['version']}"
        would = "would be " if dry_run else ""
        alias = f", {facts['alias']}" if facts["alias"] else ""
        lines.append(f"{facts['model']}: {would}{name}, an export of version {facts['export_of']}{alias}")
    return "\n".join(lines)
