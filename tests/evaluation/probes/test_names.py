"""Names that stand in for each other."""

from random import Random

from stance.corpus.gazetteer import load
from stance.evaluation.probes.names import invent, read_roster


def test_the_roster_holds_states_that_read_well_without_an_article():
    states = read_roster(load()).states
    assert {"Norway", "Pakistan", "New Zealand"} <= states.keys()
    assert states["Norway"]["capital"] == ("Oslo",)
    assert not {"United States", "NATO", "Hamas", "Netherlands"} & states.keys()
    assert all(len(load().scan(forms["name"][0])) == 1 for forms in states.values())


def test_a_filling_has_every_kind_and_is_not_taken():
    roster = read_roster(load())
    for seed in range(20):
        actor, forms = roster.fill(("name", "people", "capital"), {"Norway", "Chile"}, Random(seed))
        assert actor not in ("Norway", "Chile")
        assert {"name", "people", "capital"} <= forms.keys()
    assert roster.fill(("office",), (), Random(0)) is None


def test_an_invented_state_is_in_no_gazetteer():
    for seed in range(20):
        forms = invent(Random(seed), load())
        assert forms == invent(Random(seed), load())
        assert not load().scan(" ".join(name for names in forms.values() for name in names))
