"""What is wrong with a response, as data: sentences in any language are made of it (pwb_legacy/check/words)."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong."""

    kind: str
    """The key of its sentence."""
    value: object = None
    """What came back."""
    expected: object = None
    """What would have been right; in a tuple, each of the values."""
    name: str = ""
    """Of a field."""
    response: int = 0
    """The number of the response on its connection, from 1; 0: there is only one, or it is about all of them."""
