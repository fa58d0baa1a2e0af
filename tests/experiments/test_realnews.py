"""The real-news benchmark, on two invented sentences in its file's format."""

import json

import pytest
from click.testing import CliRunner

from experiments.benchmarks.realnews import main, read_realnews
from stance import codebook

SENTENCES = [
    {
        "id": "1",
        "doc_id": "a",
        "prev": "",
        "text": "Norway met the Taliban,\u2028while Chile condemned them.",
        "next": "They left.",
        "frames": ["diplomacy"],
        "actors": [
            {"actor": "Norway", "mention": "Norway", "stances": ["engage"]},
            {"actor": "Chile", "mention": "Chile", "stances": ["oppose"]},
        ],
    },
    {"id": "2", "doc_id": "b", "prev": "", "text": "It rained.", "next": "", "frames": [], "actors": []},
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "real.jsonl"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in SENTENCES), "utf-8")
    return path


def test_one_example_per_actor_or_sentence_with_gold_labels(file):
    book = codebook.load()
    stances = read_realnews(file, book, "stance")
    assert [(e.actor, e.labels, e.doc_id) for e in stances] == [
        ("Norway", ("engage",), "a"),
        ("Chile", ("oppose",), "a"),
    ]
    assert all(e.text[e.start : e.end] == e.mention for e in stances)
    assert all(e.text[start:end] == "Taliban" for e in stances for start, end in e.targets)
    frames = read_realnews(file, book, "frames")
    assert [(e.labels, e.doc_id) for e in frames] == [(("diplomacy",), "a"), ((), "b")]


def test_without_the_file_it_says_so_and_measures_nothing(tmp_path):
    done = CliRunner().invoke(main, ["any.yaml", "--file", str(tmp_path / "none.jsonl")])
    assert done.exit_code == 0
    assert "skipped:" in done.output


@pytest.mark.slow
def test_a_recipe_is_scored_on_the_corpus_and_on_the_file(file, tmp_path):
    (tmp_path / "majority.yaml").write_text("name: floor\nmodel: {kind: majority}\n")
    done = CliRunner().invoke(main, [str(tmp_path / "majority.yaml"), "seed=2", "--file", str(file)])
    assert done.exit_code == 0, done.output
    assert "floor: stance on real.jsonl (2 examples)" in done.output
    assert "corpus test" in done.output
