"""The codebook's minimal pairs, filled with names."""

from pathlib import Path

from stance import codebook
from stance.corpus.gazetteer import load
from stance.evaluation.probes.pairs import FILLINGS, read_pairs

PLANT = Path(__file__).parents[3] / "experiments" / "codebooks" / "power-plant.yaml"


def test_every_template_is_filled_and_seen_from_its_actor():
    probes = {probe.name: probe for probe in read_pairs(codebook.load(), "stance", load(), seed=0)}
    assert {"swap-roles", "negate", "hedge", "ascribe"} <= probes.keys()
    for probe in probes.values():
        assert "rule" in probe.source
        for case in probe.cases:
            for example in (case.before, case.after):
                assert example.text[example.start : example.end] == example.mention == example.actor
                assert example.targets
                assert "{" not in example.text
    templates = codebook.load().task("stance").probes
    for given in templates:
        assert len(given.pairs) * (FILLINGS - 2) < len(probes[given.name].cases) <= len(given.pairs) * FILLINGS


def test_the_same_seed_asks_the_same():
    first, again, other = (read_pairs(codebook.load(), "stance", load(), seed) for seed in (1, 1, 2))
    assert first == again
    assert [probe.digest for probe in first] == [probe.digest for probe in again]
    assert all(one.digest != two.digest for one, two in zip(first, other, strict=True))


def test_another_codebook_asks_about_its_own_actors():
    book = codebook.load(PLANT)
    (probe,) = read_pairs(book, "position", load(), seed=0)
    assert {case.before.actor for case in probe.cases} <= {"Cabinet", "Fishers' union", "Miners' union", "Mayor"}
    assert read_pairs(book, "topics", load(), seed=0) == []
