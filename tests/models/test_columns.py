import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.models import columns as module
from stance.models.columns import Columns
from stance.models.features import BLOCKS, pack

PLACED = st.sampled_from(["word", "char", "zone", "flag"])
SINGLE = st.tuples(PLACED, st.integers(0, 30), st.integers(0, 50), st.just(0))
PAIR = st.tuples(st.sampled_from(["pair", "negated"]), st.integers(0, 3), st.integers(0, 20), st.integers(0, 20))
KEYS = st.lists(SINGLE | PAIR, max_size=60)


def packed(given):
    return np.array([int(pack(*one)) for one in given], dtype=np.int64)


@settings(deadline=None)
@given(KEYS, KEYS, st.sampled_from([0, 40, 10**6]))
def test_a_column_is_where_the_key_stands(known, asked, largest):
    keys = np.unique(packed(known))
    before, module.LARGEST_TABLE = module.LARGEST_TABLE, largest
    try:
        columns = Columns(keys)
    finally:
        module.LARGEST_TABLE = before
    for block in BLOCKS:
        own = packed([one for one in [*known, *asked] if one[0] == block])
        found, there = columns.find(block, own)
        assert there.tolist() == np.isin(own, keys).tolist()
        assert (keys[found[there]] == own[there]).all()
