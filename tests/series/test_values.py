"""Values: the neighbours of a missing value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gatewise.series.values import last_valid, next_valid


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30))
def test_the_last_and_next_valid_places_are_those_of_a_plain_search(rows):
    codes, valid = np.sort([code for code, _ in rows]).astype(int), np.array([ok for _, ok in rows], bool)
    for i in range(len(rows)):
        same = np.flatnonzero(valid & (codes == codes[i]))
        assert last_valid(valid, codes)[i] == max([j for j in same if j <= i], default=-1)
        assert next_valid(valid, codes)[i] == min([j for j in same if j >= i], default=-1)
