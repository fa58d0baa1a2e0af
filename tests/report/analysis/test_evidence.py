"""What the page can search, against the rows it was made from."""

import json

from stance import codebook
from stance.report.analysis.evidence import choose_evidence, write_evidence
from stance.report.analysis.predictions import prepare


def test_each_sentence_is_kept_once_with_its_actors(row, table):
    text = "🙂 Moscow and </script><!-- Tehran met."
    start = text.index("Tehran")
    place = {"text": text, "mention": "Tehran", "start": start, "end": start + 6}
    frame = table(
        row("a", 0, "Russia", ("engage",), ("security", "rights"), text=text, url="javascript:alert(1)"),
        row("a", 0, "Iran", (), ("security", "rights"), **place, url="javascript:alert(1)"),
        row("b", 4, None, None, (), cluster="a", url="https://example.org/b", outlet=None),
    )
    written = write_evidence(prepare(frame, codebook.load()))
    assert "<" not in written
    found = json.loads(written)
    assert found["documents"] == [
        ["Title of a", "2024-05-01", 0, 0, None, 1],
        ["Title of b", "2024-05-01", -1, 0, "https://example.org/b", 0],
    ]
    labels = {name: labels for name, labels, _ in found["tasks"]}
    at = labels["frames"].index
    (first, second) = found["sentences"]
    assert first[:3] == [0, text, [[[at("security"), 0.9], [at("rights"), 0.9]]]]
    assert first[3] == [[0, -1, -1, [[[0, 0.9]]]], [1, start + 1, start + 7, [[]]]]  # 🙂 is two UTF-16 units
    assert second == [1, "Sentence 4 of b.", [[]], []]
    assert (found["actors"], found["outlets"], found["events"]) == (["Russia", "Iran"], ["Courier"], ["a"])


def test_of_too_many_sentences_whole_documents_are_listed(row, table):
    frame = table(*(row(f"d{document}", index) for document in range(10) for index in range(5)))
    predictions = prepare(frame, codebook.load())
    assert choose_evidence(predictions) is predictions
    chosen = choose_evidence(predictions, 23).frame
    assert chosen["doc_id"].value_counts().tolist() == [5] * 4
    backwards = choose_evidence(prepare(frame[::-1], codebook.load()), 23).frame
    assert set(backwards["doc_id"]) == set(chosen["doc_id"])
