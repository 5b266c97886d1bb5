"""The Huffman code of strings in HPACK (RFC 7541 5.2): a decoder that takes a whole octet at each step."""

from collections.abc import Iterator
from typing import Final, Union

_EOS: Final = 256
"""The symbol for the end of a string, which is never sent: its first bits are the padding."""
_MAX_PADDING: Final = 7
"""The largest number of bits of padding; a whole octet of it is an error."""

_CODE: Final = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: b"\\\xc3\xd0",
    20: b"\x80\x82\x83\xa2\xb8\xc2\xe0\xe2",
    21: b"\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6",
    22: b"\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9",
    23: b"\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf"
    b"\xc5\xe7\xef",
    24: b"\t\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed",
    25: b"\xc7\xcf\xea\xeb",
    26: b"\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff",
    27: b"\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe",
    28: b"\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
    b"\x7f\xdc\xf9",
    30: b"\n\r\x16",
}
"""The octets by the length of their code in bits (RFC 7541 appendix B); EOS is one more symbol of 30 bits.

The code is canonical, so the lengths define it: codes of one length follow each other in the order of the symbols, and
longer codes follow shorter ones.
"""


class HuffmanError(ValueError):
    """A string that is not validly coded."""


_Tree = Union["_Node", int]
"""A part of the code's binary tree: a node, or a symbol at its end."""


class _Node(dict[int, tuple[bytes, "_Node"]]):
    """An inner node of the code's tree, and a state of the decoder: the bits of a symbol that have been read so far.

    It maps an octet to the symbols that end within its bits, and the node after them. A pair is computed when it is
    needed for the first time; all 65,281 that exist take 8.3 MiB.
    """

    __slots__ = ("children", "is_padding")

    children: tuple[_Tree, _Tree]
    """What follows a bit 0, and a bit 1."""
    is_padding: bool
    """Whether the bits that lead here may end a string: fewer than eight, all of them 1."""

    def __init__(self, children: tuple[_Tree, _Tree]) -> None:
        self.children = children
        self.is_padding = False

    def __missing__(self, octet: int) -> tuple[bytes, "_Node"]:
        symbols = bytearray()
        node = self
        for shift in range(7, -1, -1):
            child = node.children[octet >> shift & 1]
            if isinstance(child, _Node):
                node = child
            elif child == _EOS:
                raise HuffmanError("EOS within a string")
            else:
                symbols.append(child)
                node = _ROOT
        self[octet] = step = bytes(symbols), node
        return step


def _build() -> _Node:
    """The root of the tree, built from the longest codes up.

    The symbols of one depth stand left of its nodes, each of which joins two neighbours of the depth below.
    """
    level: list[_Tree] = [_EOS]
    for depth in range(max(_CODE), 0, -1):
        level = [*_CODE.get(depth, b""), *level]
        level = [_Node(pair) for pair in zip(level[::2], level[1::2], strict=True)]
    (root,) = level
    assert isinstance(root, _Node)
    for node in _padding(root):
        node.is_padding = True
    return root


def _padding(root: _Node) -> Iterator[_Node]:
    """The nodes that zero to seven bits of 1 lead to; the shortest code of ones alone has 30."""
    node: _Tree = root
    for _ in range(_MAX_PADDING + 1):
        assert isinstance(node, _Node)
        yield node
        node = node.children[1]


_ROOT: Final = _build()


def decode(coded: bytes) -> bytes:
    """The string that `coded` stands for. Raises HuffmanError for EOS, and for padding too long or not of ones."""
    node = _ROOT
    decoded = []
    for octet in coded:
        symbols, node = node[octet]
        decoded.append(symbols)
    if not node.is_padding:
        raise HuffmanError("the padding is not the start of EOS")
    return b"".join(decoded)
