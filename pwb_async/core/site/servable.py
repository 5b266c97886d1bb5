"""Which paths may be looked up (hazard C7)."""

from .patterns import RESERVED


def is_servable(segments: tuple[bytes, ...], dotfiles: bool = False) -> bool:
    """Whether a path may be looked up.

    A path with a slash inside a segment may not, as no file name can contain one, nor may the files of rules in the
    root. Unless `dotfiles` is set, neither may a path with a segment that begins with a dot, except a first segment
    ".well-known".
    """
    if b"/" in b"".join(segments) or (len(segments) == 1 and segments[0].lower() in RESERVED):
        return False
    names = segments[1:] if segments[:1] == (b".well-known",) else segments
    return dotfiles or b"/." not in b"/" + b"/".join(names)
