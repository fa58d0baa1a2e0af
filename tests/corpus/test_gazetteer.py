import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.corpus.gazetteer import FILES, Gazetteer, Reading, fold, load
from stance.errors import DataError


def actors(text, date=None, book=None):
    found = (book or load()).scan(text)
    return [next((r.actor if r.holds(date) else r.own for r in name.readings), None) for name in found]


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_folding_keeps_every_offset(text):
    assert len(fold(text)) == len(text)


@given(st.text(max_size=120))
@settings(max_examples=60, deadline=None)
def test_finds_lie_in_the_text_in_order_without_overlap(text):
    found = load().scan(text + " Russia " + text)
    ends = [0]
    for name in found:
        assert ends[-1] <= name.start < name.end <= 2 * len(text) + 8
        ends.append(name.end)


def test_the_longest_name_wins():
    assert actors("The US Congress met the United States president.") == ["US Congress", "United States"]
    assert actors("The Pakistani Taliban struck Pakistan.") == ["TTP", "Pakistan"]


def test_accents_and_apostrophes_do_not_matter():
    assert actors("Türkiye and Turkiye; António Guterres’s office") == ["Turkey", "Turkey", "United Nations"]


def test_a_name_in_capitals_is_matched_in_capitals_only():
    assert actors("They told us who can care about this.") == []
    assert actors("US and WHO") == ["United States", "United Nations"]


def test_words_that_hold_a_name_are_not_the_name():
    assert actors("Indiana, Iranica, Omanization, Chinatown") == []


@pytest.mark.parametrize(
    ("date", "actor"),
    [("2008-05-01", "United Nations"), ("2014-05-01", "Kai Eide"), ("2009", "United Nations"), ("2021/..", "Kai Eide")],
)
def test_a_person_is_the_body_within_the_term_only(date, actor):
    assert actors("Kai Eide spoke.", date) == [actor]


def test_an_office_of_the_republic_ends_with_it():
    reading = load().scan("Kabul")[0].readings
    assert any(r.actor == "Afghan Republic" and r.holds("2021-08-15") for r in reading)
    assert not any(r.actor == "Afghan Republic" and r.holds("2021-08-17") for r in reading)


def test_every_term_ends_after_it_begins():
    book = load()
    readings = {r for actor in book.actors for name in book.names(actor) for f in book.scan(name) for r in f.readings}
    assert len(readings) > 500
    assert [r for r in readings for first, last in r.terms if last < first] == []


def test_every_name_finds_its_own_actor():
    book = load()
    lost = [
        (actor, name)
        for actor in book.actors
        for name in book.names(actor)
        if not any(actor in (r.actor, r.own) for f in book.scan(name.replace("*", "")) for r in f.readings)
    ]
    assert lost == []


def test_own_entries_can_replace_the_shipped_ones():
    book = Gazetteer([("Ruritania", Reading("Ruritania", "name")), ("Strelsau", Reading("Ruritania", "capital"))])
    assert actors("Strelsau and Ruritania, not Russia", book=book) == ["Ruritania", "Ruritania"]
    assert book.names("Ruritania") == ("Ruritania", "Strelsau")


def write(folder, **files):
    for name in FILES:
        content = files.get(name, {"names": []} if name == "decoys" else {})
        folder.joinpath(f"{name}.yaml").write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return folder


def test_a_folder_of_files_is_a_gazetteer(tmp_path):
    persons = {"Ruritania": {"Ada *Elf": "2001/.."}}
    folder = write(tmp_path, states={"Ruritania": {"names": ["Ruritania"]}}, persons=persons)
    assert actors("Elf of Ruritania", "2005", load(folder)) == ["Ruritania", "Ruritania"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"states": "a: [b"}, r"states.yaml: cannot read"),
        ({"states": {"Ruritania": {"nmaes": ["x"]}}}, r"states.yaml: 'Ruritania'.*nmaes"),
        ({"persons": {"Ruritania": {"Ada Elf": "since 2001"}}}, r"persons.yaml: 'Ruritania'.*since 2001"),
        ({"states": "- a\n"}, r"states.yaml: not a mapping"),
    ],
)
def test_a_bad_file_is_named(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, **files))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"states.yaml: cannot read"):
        load(tmp_path)
