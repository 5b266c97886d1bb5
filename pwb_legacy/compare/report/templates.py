"""The templates of pages and their style, in the files beside this one."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def printed(template: str, **values: Any) -> str:
    """A whole page. Every value is escaped, unless it is Markup."""
    return _TEMPLATES.get_template(template).render(values)


def block(template: str, name: str, **values: Any) -> Markup:
    """One block of a page."""
    whole = _TEMPLATES.get_template(template)
    return Markup("".join(whole.blocks[name](whole.new_context(values))))  # noqa: S704 - the template has escaped it
