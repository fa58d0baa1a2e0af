"""The charts, as Vega-Lite written by Altair. A figure's rows enter; a specification leaves, or one picture.

On the page the data stay apart from the specification, under the names `rows`, so that a choice of actor only changes
the data, and the page's own colours apply.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.dataset.files import replacing
from stance.report.analysis.figures import Analysis
from stance.report.analysis.prevalence import NONE

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

TOP = 15  # actors or outlets in a picture


def month_spec() -> dict[str, Any]:
    """Return one label's line over months.

    A row has `month` (YYYY-MM), `day` (its first, with time 00:00), and the shares `value`, `low`, `high` and `share`.
    """
    import altair as alt

    chart = _month_layers(alt.Chart(alt.NamedData("rows")))
    spec = chart.properties(width="container", height=170).to_dict(validate=True)
    return {**spec, "data": {"name": "rows"}}


def difference_spec() -> dict[str, Any]:
    """Return one label's differences by `outlet`: `value`, `low`, `high` in [-1, 1]. The page sets the height."""
    import altair as alt

    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("outlet:N", sort=None, title=None, axis=alt.Axis(labelLimit=150))
    )
    axis = alt.X("value:Q", title="difference from other outlets", axis=alt.Axis(format="+.0%", tickCount=5))
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(strokeDash=[3, 3]).encode(x="zero:Q")
    lines = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    points = base.mark_point(filled=True, size=70, cursor="pointer").encode(x=axis, tooltip=_tooltip("outlet", "+.1%"))
    return alt.layer(zero, lines, points).properties(width="container", height=130).to_dict(validate=True)


def draw_picture(analysis: Analysis, path: str | Path) -> None:
    """Write all figures as one PNG, replacing the file whole."""
    import vl_convert

    with replacing(path) as temporary:
        temporary.write_bytes(vl_convert.vegalite_to_png(picture(analysis), scale=2))


def picture(analysis: Analysis) -> dict[str, Any]:
    """Return the figures below one another: matrices of actors and outlets, and lines over months."""
    import altair as alt

    parts: list[Any] = []
    for task in analysis.predictions.tasks:
        how = "as counted" if task.name in analysis.uncorrected else "corrected"
        for figure, key in (("actors", "actor"), ("outlets", "outlet")):
            table = analysis.figure(figure, task.name)
            if len(table):
                parts.append(_heat(_valued(table), key, f"{task.name} by {key} ({how})"))
        months = analysis.figure("months", task.name)
        months = months.loc[months["actor"].isna()]
        if months["month"].nunique() > 1:
            chart = _month_layers(alt.Chart(_valued(months))).properties(width=220, height=120)
            parts.append(
                chart.facet(
                    alt.Facet("label:N", title=None, sort=list(task.labels)),
                    columns=4,
                    title=f"{task.name} by month ({how})",
                )
            )
    empty = alt.Chart(alt.InlineData(values=[{}]), title="No predictions to show").mark_text()
    chart = alt.vconcat(*parts).resolve_scale(color="independent", x="independent") if parts else empty
    spec: dict[str, Any] = chart.to_dict(validate=True)
    return spec


def _heat(table: pd.DataFrame, key: str, title: str) -> Any:
    import altair as alt

    shown = table.loc[table[key].isin(list(dict.fromkeys(table[key]))[:TOP])]
    base = alt.Chart(shown, title=title).encode(
        x=alt.X("label:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y(f"{key}:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
    )
    cells = base.mark_rect().encode(
        color=alt.Color("value:Q", title="share", scale=alt.Scale(scheme="blues", domain=[0, 1]))
    )
    texts = base.mark_text(fontSize=10).encode(
        text=alt.Text("value:Q", format=".0%"),
        color=alt.condition(alt.datum.value > 0.5, alt.value("white"), alt.value("black")),
    )
    return (cells + texts).properties(width=70 * shown["label"].nunique(), height=alt.Step(22))


def _month_layers(base: alt.Chart) -> Any:
    import altair as alt

    shared = base.encode(x=alt.X("yearmonth(day):T", title=None, axis=alt.Axis(labelOverlap=True, tickCount=6)))
    scale = alt.Y("low:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(format=".0%", tickCount=4))
    band = shared.mark_area(opacity=0.25).encode(y=scale, y2="high:Q")
    plain = shared.mark_line(strokeDash=[2, 3], strokeWidth=1).encode(y="share:Q")
    line = shared.mark_line(strokeWidth=2).encode(y="value:Q")
    points = shared.mark_point(filled=True, size=45, cursor="pointer").encode(
        y="value:Q",
        opacity=alt.condition("isValid(datum.low)", alt.value(1), alt.value(0.45)),
        tooltip=_tooltip("month", ".0%"),
    )
    return alt.layer(band, plain, line, points)


def _tooltip(key: str, form: str) -> list[Any]:
    import altair as alt

    names = [("value", "share"), ("low", "low (95%)"), ("high", "high (95%)")]
    return [
        alt.Tooltip(f"{key}:N"),
        *(alt.Tooltip(f"{name}:Q", title=title, format=form) for name, title in names),
        alt.Tooltip("count:Q", title="given"),
        alt.Tooltip("n:Q", title="of"),
    ]


def _valued(table: pd.DataFrame) -> pd.DataFrame:
    """The corrected share where there is one, else the share as counted."""
    value = table["corrected"].astype(float).fillna(table["share"].astype(float))
    # With a time of day, a date is read in local time; without one in UTC, which shows as the month before in the west.
    day = table["month"].map(lambda month: f"{month}-01T00:00" if month else None)
    return table.loc[table["label"] != NONE].assign(value=value, day=day)
