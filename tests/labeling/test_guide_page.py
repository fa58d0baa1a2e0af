from html.parser import HTMLParser
from pathlib import Path

import pytest

from labeling.guide_page import render_fragment, render_page
from stance import codebook as codebooks
from stance.errors import CodebookError


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_page_has_every_definition_rule_and_example():
    book = codebooks.load()
    text = " ".join(Page(render_page(book)).text.split())
    for task in book.tasks.values():
        assert all(" ".join(label.definition.split()) in text for label in task.definitions)
        assert all(example.text in text for example in task.examples)
    assert all(rule.title in text for rule in (*book.rules, *book.settled))


def test_the_page_needs_no_other_file():
    tags = Page(render_page(codebooks.load())).tags
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in tags}
    assert not any({"src", "href"} & attributes.keys() for _, attributes in tags)
    assert {"table", "h1", "h2", "style"} <= {tag for tag, _ in tags}


def test_markup_in_a_codebook_shows_as_text():
    path = Path(__file__).parents[2] / "experiments/codebooks/power-plant.yaml"
    book = codebooks.load(path).model_copy(update={"title": "<script>1</script>", "description": "<img src=x>"})
    page = Page(render_page(book))
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert "<img src=x>" in page.text


def test_one_task_alone():
    text = render_fragment(codebooks.load(), "frames")
    assert "humanitarian" in text
    assert "Task <code>stance" not in text
    with pytest.raises(CodebookError, match="tone"):
        render_fragment(codebooks.load(), "tone")
