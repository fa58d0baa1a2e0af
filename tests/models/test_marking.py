"""What an encoder reads: the actor and the target marked, whatever the text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stance.models.marking import ACTOR, AFTER, BEFORE, LONGEST, MASKED, TARGET, mark
from stance.records import Example

TEXTS = st.text(max_size=300) | st.text("ab @#\u05d0\u0627\u4e2d", max_size=3000) | st.sampled_from(["", "x" * 5_000])


@st.composite
def examples(draw) -> Example:
    """Any text with any mention in it and any targets, overlapping or not."""
    text = draw(TEXTS)
    place = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    targets = tuple(tuple(span) for span in draw(st.lists(place, max_size=4)) if span[0] < span[1])
    start, end = draw(place)
    if start == end:
        return Example(text, actor="Iran", targets=targets)
    return Example(text, "Iran", text[start:end], start, end, targets)


def shown(example, **options):
    marked = mark(example, **options)
    start, end = marked.actor
    return marked.text[start:end]


@settings(max_examples=200, deadline=None)
@given(examples())
def test_the_span_points_at_the_marked_actor(example):
    read = shown(example)
    assert read.startswith(f"{ACTOR} ")
    assert read.endswith(f" {ACTOR}")
    words = read[2:-2]
    if example.start is None:
        assert words == "Iran"
    else:
        assert example.mention.startswith(words)
        assert words == example.mention or len(words) >= LONGEST * 4


@settings(max_examples=200, deadline=None)
@given(examples())
def test_marking_adds_only_markers_and_reads_a_bounded_piece(example):
    marked = mark(example)
    start, end = marked.actor
    assert len(marked.text) <= LONGEST * 6 + 16 + 4 * len(example.targets)
    if example.start is not None:
        bare = str.maketrans("", "", f"{TARGET} ")  # the text may hold such characters of its own
        read = marked.text[:start] + marked.text[start + 2 : end - 2] + marked.text[end:]
        assert read.translate(bare) in example.text.translate(bare)


@settings(max_examples=100, deadline=None)
@given(examples(), st.booleans())
def test_a_hidden_actor_is_not_named_by_its_mark(example, context):
    assert shown(example, name=MASKED, context=context) == f"{ACTOR} {MASKED} {ACTOR}"


def test_actor_and_targets_are_marked_where_they_stand():
    text = "The Taliban met Iran; the Taliban left."
    example = Example(text, "Iran", "Iran", 16, 20, ((4, 11), (26, 33)))
    assert mark(example).text == "The # Taliban # met @ Iran @; the # Taliban # left."


def test_an_implied_actor_is_named_before_the_sentence():
    marked = mark(Example("He met the Taliban.", "Iran", targets=((11, 18),)))
    assert marked.text == "@ Iran @ : He met the # Taliban #."
    assert marked.actor == (0, 8)


def test_a_target_inside_the_actor_is_not_marked_again():
    text = "The Taliban's foes gathered."
    assert (
        mark(Example(text, "NRF", "The Taliban's foes", 0, 18, ((4, 11),))).text == "@ The Taliban's foes @ gathered."
    )


def test_a_sentence_without_an_actor_has_no_span():
    marked = mark(Example("Envoys met the Taliban.", targets=((15, 22),)))
    assert (marked.text, marked.actor) == ("Envoys met the # Taliban #.", None)


def test_right_to_left_text_keeps_its_order():
    text = "اجتمعت إيران مع طالبان في الدوحة."
    start = text.index("إيران")
    assert mark(Example(text, "Iran", "إيران", start, start + 5)).text == text.replace("إيران", "@ إيران @")


def test_a_long_sentence_is_read_around_its_actor():
    text = "word " * 20_000 + "Iran met them. " + "word " * 20_000
    start = text.index("Iran")
    read = mark(Example(text, "Iran", "Iran", start, start + 4)).text
    assert "@ Iran @ met them." in read
    assert read.startswith("word ")
    assert len(read) < LONGEST * 7


def test_a_long_text_without_spaces_is_read_around_its_actor():
    marked = mark(Example("x" * 100_000, "Iran", "x" * 5, 50_000, 50_005))
    assert "@ xxxxx @" in marked.text
    assert len(marked.text) < LONGEST * 7


def test_context_is_the_nearest_words_and_can_be_left_out():
    before, after = " ".join(f"b{i}" for i in range(99)), " ".join(f"a{i}" for i in range(99))
    example = Example("He met them.", "Iran", prev=before, next=after)
    left, right = mark(example).context.split(" | ")
    assert left.split() == before.split()[-BEFORE:]
    assert right.split() == after.split()[:AFTER]
    assert mark(example, context=False).context is None
    assert mark(Example("He met them.", "Iran")).context == ""
