"""The field section of a request."""

from pwb_async.core.semantics.fields import Fields


def test_a_field_section_without_its_conditions() -> None:
    values = {b"host": [b"h"], b"if-none-match": [b"*"], b"range": [b"bytes=0-0"], b"accept": [b"a/b", b"c/d"]}
    fields = Fields(values, 3)
    fields.variant = b"v"
    assert not fields.plain
    unconditional = fields.unconditional()
    assert unconditional.get(b"if-none-match") is None
    assert unconditional.get(b"range") is None
    assert unconditional.get(b"accept") == b"a/b, c/d"
    assert (unconditional.conditions, unconditional.host) == (b"", b"h")
    assert (unconditional.variant, unconditional.content_length) == (b"v", 3)
    assert fields.get(b"range") == b"bytes=0-0"
