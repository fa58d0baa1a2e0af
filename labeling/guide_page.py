"""The annotators' guide as a page. What enters is a codebook; what leaves is one HTML file that needs no other."""

from __future__ import annotations

from html import escape
from importlib import resources

from stance import guide
from stance.codebook import Codebook

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


def render_page(book: Codebook, task: str | None = None) -> str:
    """Return the guide of the whole codebook, or of one task, as an HTML page: no script, nothing fetched.

    The text is that of `stance.guide.render`; markup in a codebook's words shows as text. Raises CodebookError for a
    task that the codebook does not have.
    """
    style = resources.files("labeling").joinpath("guide.css").read_text("utf-8")
    body = render_fragment(book, task)
    return PAGE.format(title=escape(book.title), style=style, body=body)


def render_fragment(book: Codebook, task: str | None = None) -> str:
    """Return the guide as HTML without a page around it, as for a project's instructions in Label Studio."""
    from markdown_it import MarkdownIt

    # Raw HTML off: a codebook is somebody's file, and a sentence in it may look like markup.
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(guide.render(book, task)))
