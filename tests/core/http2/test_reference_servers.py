"""Any sequence of frames against two other servers, h2 and nghttp2: the same frame is an error, for the same reason.

What is accepted here is accepted there, and what is refused is refused, but for the reasons in sequences.py.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .sequences import PIECES, first_difference, is_reviewed
from .server import H2, Nghttp2, Server


@pytest.mark.parametrize("oracle", [Nghttp2, H2], ids=["nghttp2", "h2"])
@given(
    st.lists(st.tuples(st.sampled_from(sorted(PIECES)), st.sampled_from((1, 3, 5, 7))), min_size=1, max_size=10),
    st.booleans(),
)
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_the_same_frames_are_errors(oracle: type[Server], pieces: list[tuple[str, int]], waiting: bool) -> None:
    step = first_difference(oracle, pieces, waiting)
    assert step is None or is_reviewed(oracle, step), step
