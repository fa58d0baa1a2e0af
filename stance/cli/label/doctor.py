"""`stance label doctor`: check the way to Label Studio."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per check.")
def doctor(as_json: bool) -> None:
    """Check address, token, version and permissions of Label Studio, and say what to mend; status 1 if anything is."""
    from labeling.doctor import examine
    from stance.cli import tables
    from stance.errors import LabelingError

    checks = examine()
    if as_json:
        for check in checks:
            click.echo(json.dumps(asdict(check), ensure_ascii=False))
    else:
        rows = [(check.name, "yes" if check.ok else "no", check.found) for check in checks]
        tables.show("Label Studio", ("check", "good", "found"), rows)
    if bad := [check for check in checks if not check.ok]:
        raise LabelingError(f"Label Studio is not fit for use: {bad[0].name}; how to mend it stands above")
