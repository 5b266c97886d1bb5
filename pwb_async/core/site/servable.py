"""Which paths may be looked up (hazard C7)."""

from .patterns import RESERVED


def is_servable(segments: tuple[bytes, ...], dotfiles: bool = False) -> bool:
    """Whether a path may be looked up.

    A path with a slash inside a segment may not, as no file name can contain one, nor may the files of rules in the
    root. Unless `dotfiles` is set, neither may a path with a segment that begins with a dot, except a first segment
    ".well-known".
    """
    if len(segments) == 1 and segments[0].lower() in RESERVED:
        return False
    return servable_depth(segments, dotfiles) == len(segments)


def servable_depth(segments: tuple[bytes, ...], dotfiles: bool = False) -> int:
    """How many of the first segments may be looked up as directories."""
    for depth, name in enumerate(segments):
        if b"/" in name or (name[:1] == b"." and not dotfiles and (depth or name != b".well-known")):
            return depth
    return len(segments)
