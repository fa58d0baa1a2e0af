"""`stance label agreement`: how far annotators agree, and where not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.wording import counted

if TYPE_CHECKING:
    from labeling.agreement import Agreement, Difference, Score, Scores
    from labeling.answers import Answers


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", default="stance", show_default=True, help="The task of the codebook.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--list", "shown", default=10, show_default=True, help="How many of the largest differences to print.")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the JSON object to a file.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the picture into a .png, .svg or .pdf file.")
@click.option("--resamples", default=2_000, show_default=True, help="Bootstrap resamples for the intervals.")
def agreement(
    file: Path,
    task: str,
    codebook: Path | None,
    shown: int,
    as_json: bool,
    output: Path | None,
    plot: Path | None,
    resamples: int,
) -> None:
    """Measure how far the annotators in FILE (from `stance label pull`) agree, and list where they differ most."""
    import json

    from labeling.agreement import measure_agreement
    from stance.evaluation.bootstrap import Resampling

    answers = read_answers(file, codebook, task)
    found = measure_agreement(answers, Resampling(resamples=resamples))
    if output is not None:
        from stance.dataset.files import replacing

        with replacing(output) as temporary:
            temporary.write_text(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n", "utf-8")
        click.echo(f"{output}: written", err=True)
    if plot is not None:
        _draw(found, plot)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
    elif output is None:
        _show(found, shown)


def read_answers(file: Path, codebook: Path | None, task: str) -> Answers:
    """Return the answers in a file of annotations, and say on stderr what in it does not count."""
    from labeling.annotations import read_annotations
    from labeling.answers import collect_answers
    from stance import codebook as codebooks

    book = codebooks.load(codebook)
    answers = collect_answers(read_annotations(file, book), book, task)
    missing = ", ".join(f"{count} {why}" for why, count in answers.missing.items() if count)
    replaced = f"; {answers.replaced} earlier, different answers replaced by later ones" if answers.replaced else ""
    given = sum(answers.annotators.values())
    click.echo(
        f"{file}: {counted(len(answers.items), 'unit')} of {task}, {counted(given, 'answer')} of "
        f"{counted(len(answers.annotators), 'annotator')}"
        f"{'; missing: ' + missing if missing else ''}{replaced}",
        err=True,
    )
    others = {key: count for key, count in answers.codebooks.items() if key and key != book.hash}
    if others:
        named = ", ".join(f"{key[:12]}: {count}" for key, count in others.items())
        click.echo(f"answers given under another codebook than this one ({book.hash[:12]}): {named}", err=True)
    return answers


def _draw(found: Agreement, plot: Path) -> None:
    from labeling.agreement_plot import draw_agreement
    from stance.dataset.files import replacing
    from stance.errors import DataError

    if plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise DataError(f"{plot}: unknown kind of picture '{plot.suffix}'; name it .png, .svg or .pdf")
    with replacing(plot) as temporary:
        draw_agreement(found).savefig(temporary, format=plot.suffix[1:].lower(), dpi=150)
    click.echo(f"{plot}: written", err=True)


def _show(found: Agreement, shown: int) -> None:
    from stance.cli import tables

    overall = found.overall
    columns = ("given", "raw", "kappa", "alpha [95% interval]")
    tables.show(
        f"Agreement on {found.task}: {overall.n:,} examples of {overall.n_documents:,} documents"
        f" with two or more of {counted(len(found.annotators), 'annotator')}",
        ("label", *columns),
        [(one.name, *_cells(one)) for one in (*overall.labels, overall.sets)],
    )
    for title, rows in (("Whole sets by actor", found.actors), ("Whole sets by pair of annotators", found.pairs)):
        if rows:
            tables.show(title, (rows[0].kind, "examples", *columns, "weakest label"), map(_row, rows))
    tables.show(
        f"The {min(shown, len(found.differences))} largest of {len(found.differences)} differences",
        ("distance", "actor", "text", "answers"),
        [_difference(one) for one in found.differences[:shown]],
        lines=True,
    )


def _row(scores: Scores) -> tuple[object, ...]:
    defined = [one for one in scores.labels if one.alpha.estimate == one.alpha.estimate]
    weakest = min(defined, key=lambda one: one.alpha.estimate, default=None)
    named = f"{weakest.name} {weakest.alpha.estimate:.2f}" if weakest else ""
    return scores.value, scores.n, *_cells(scores.sets), named


def _cells(score: Score) -> tuple[object, ...]:
    alpha = score.alpha
    text = "not defined" if alpha.estimate != alpha.estimate else f"{alpha.estimate:.3f}"
    if alpha.low == alpha.low:
        text += f" [{alpha.low:.3f}, {alpha.high:.3f}]"
    return f"{score.given:.1%}", score.raw, score.kappa, text


def _difference(one: Difference) -> tuple[object, ...]:
    said = [
        f"{each.annotator}: {', '.join(each.labels or ()) or 'none'}"
        + (f" – {each.source.comment}" if each.source.comment else "")
        for each in one.answers
    ]
    return one.distance, one.example.actor or "", one.example.text, "\n".join(said)
