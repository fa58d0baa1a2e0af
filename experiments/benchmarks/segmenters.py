"""Which sentence segmenter? Boundary precision, recall and F1 on the five seed articles, and speed.

Each library is measured bare and inside the rules of `stance.corpus.segmentation` (quotations stay whole). The
gold is the sentences of the seed documents, whole and in order; a boundary is the offset at which a sentence ends
in the cleaned text. Gold sentences that cleaning lost, and text that the gold leaves out, count as errors.

A second table joins each real-news sentence with its neighbours into one paragraph: text that nothing here was
tuned on, though its boundaries were found by a program and only those after a full stop are kept.

    python experiments/benchmarks/segmenters.py [--seeds FOLDER] [--gold FILE] [--sentences FILE]
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

from stance.corpus.articles import read_articles
from stance.corpus.cleaning import clean, has_ended
from stance.corpus.segmentation import Splitter, segment_with, split_sentencex
from stance.records import Span

SHARED = Path(__file__).resolve().parents[3] / "shared"
SPEED_CHARACTERS = 200_000
PARAGRAPHS = 800


def split_syntok(paragraph: str) -> list[int]:
    """Return the offsets at which syntok begins a new sentence."""
    from syntok import segmenter

    sentences = [sentence for part in segmenter.analyze(paragraph) for sentence in part]
    return [sentence[0].offset for sentence in sentences][1:]


def split_pysbd(paragraph: str) -> list[int]:
    """Return the offsets at which pysbd begins a new sentence."""
    from pysbd import Segmenter

    return [found.start for found in Segmenter(language="en", clean=False, char_span=True).segment(paragraph)][1:]


def segment_bare(splitter: Splitter, text: str) -> list[Span]:
    """Return the library's own sentences, line by line, without surrounding blanks."""
    spans = []
    for line in re.finditer(r"[^\n]+", text):
        starts = [0, *splitter(line.group()), len(line.group())]
        for start, end in pairwise(starts):
            piece = line.group()[start:end]
            if piece.strip():
                begin = line.start() + start + len(piece) - len(piece.lstrip())
                spans.append((begin, begin + len(piece.strip())))
    return spans


def locate(text: str, sentences: list[str]) -> set[int]:
    """Return the end offsets of gold sentences in `text`; one that is not there gets a negative number of its own."""
    ends, position = set(), 0
    for number, sentence in enumerate(sentences, 1):
        start = text.find(sentence, position)
        position = start + len(sentence) if start >= 0 else position
        ends.add(position if start >= 0 else -number)
    return ends


def read_gold(path: Path) -> list[list[str]]:
    documents: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["doc_id"].startswith("seed-"):
            documents[row["doc_id"]].append(row["text"])
    return [documents[name] for name in sorted(documents)]


def measure(
    texts: list[str], gold: list[set[int]], segmenter: Callable[[str], list[Span]]
) -> tuple[float, float, float, int]:
    found = [{end for _, end in segmenter(text)} for text in texts]
    hits = sum(len(a & b) for a, b in zip(found, gold, strict=True))
    precision, recall = hits / sum(map(len, found)), hits / sum(map(len, gold))
    return precision, recall, 2 * precision * recall / (precision + recall), sum(map(len, found))


def speed(segmenter: Callable[[str], list[Span]], texts: list[str]) -> float:
    """Return megabytes of UTF-8 a second, on the articles repeated."""
    sample = "\n".join(texts)
    text = (sample + "\n") * (SPEED_CHARACTERS // len(sample) + 1)
    began = time.perf_counter()
    segmenter(text)
    return len(text.encode()) / 1e6 / (time.perf_counter() - began)


def read_paragraphs(path: Path) -> tuple[list[str], list[set[int]]]:
    """Return paragraphs of up to three consecutive sentences and the end offsets of these."""
    texts, gold = [], []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            parts = [" ".join(row[key].split()) for key in ("prev", "text", "next") if row[key]]
            if len(parts) > 1 and all(map(has_ended, parts)):
                texts.append(" ".join(parts))
                gold.append(set(accumulate((len(part) + 1 for part in parts), initial=-1)) - {-1})
    return texts[:PARAGRAPHS], gold[:PARAGRAPHS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=Path, default=SHARED / "seeds")
    parser.add_argument("--gold", type=Path, default=SHARED / "realnews" / "dev.jsonl")
    parser.add_argument("--sentences", type=Path, default=SHARED / "realnews" / "sentences.jsonl.gz")
    parser.add_argument("--errors", action="store_true", help="show the boundaries that the kept segmenter gets wrong")
    arguments = parser.parse_args()
    if missing := [path for path in (arguments.seeds, arguments.gold) if not path.exists()]:
        print(f"skipped: {missing[0]} is not there; give --seeds FOLDER and --gold FILE")
        return
    texts = [clean(article.text, article.title) for article in read_articles([arguments.seeds])]
    gold = [locate(text, sentences) for text, sentences in zip(texts, read_gold(arguments.gold), strict=True)]
    print(f"{len(texts)} articles, {sum(map(len, gold))} gold sentences")
    show_table(texts, gold)
    if arguments.errors:
        show_errors(texts, gold)
    if arguments.sentences.exists():
        texts, gold = read_paragraphs(arguments.sentences)
        print(f"\n{len(texts)} paragraphs of real news, {sum(map(len, gold))} sentences")
        show_table(texts, gold)


def show_table(texts: list[str], gold: list[set[int]]) -> None:
    print(f"{'segmenter':22} {'precision':>9} {'recall':>7} {'F1':>6} {'found':>6} {'MB/s':>8}")
    for name, splitter in (("sentencex", split_sentencex), ("syntok", split_syntok), ("pysbd", split_pysbd)):
        for rules, apply in (("", segment_bare), (" + quotes", segment_with)):
            segmenter = partial(apply, splitter)
            precision, recall, f1, count = measure(texts, gold, segmenter)
            rate = speed(segmenter, texts)
            print(f"{name + rules:22} {precision:9.3f} {recall:7.3f} {f1:6.3f} {count:6} {rate:8.2f}")


def show_errors(texts: list[str], gold: list[set[int]]) -> None:
    for text, ends in zip(texts, gold, strict=True):
        found = {end for _, end in segment_with(split_sentencex, text)}
        for end in sorted(found ^ ends):
            print(
                "missed" if end in ends else "extra ",
                end,
                repr(text[max(end - 60, 0) : end] if end >= 0 else "gold not in text"),
            )


if __name__ == "__main__":
    main()
