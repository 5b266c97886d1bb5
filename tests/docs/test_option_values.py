"""pwb_async/config/option_values.py agrees with the declarations of the options."""

from .option_values import MODULE, module


def test_the_types_are_current() -> None:
    """If they are not: python -m tests.docs.option_values"""
    assert MODULE.read_text() == module()
