"""The attacks by the code of the defect that they show."""

from collections.abc import Callable
from typing import Final, NamedTuple

from pwb_legacy.book.running import Running

from . import events, requests, sizes, surroundings, waiting
from .outcome import Outcome


class Attack(NamedTuple):
    """One column of docs/hazards.md, section L, as a program."""

    run: Callable[[Running], Outcome]
    is_gentle: bool = True
    """a server without this defect goes on afterwards as before, so it can be attacked again"""


ATTACKS: Final = {
    "L1": Attack(requests.climb_out),
    "L2": Attack(requests.send_in_two_pieces),
    "L3": Attack(requests.send_nonsense),
    "L4": Attack(requests.ask_for_a_folder),
    "L5": Attack(sizes.stop_while_it_sends),
    "L6": Attack(sizes.ask_for_a_huge_file),
    "L7": Attack(requests.ask_for_a_head),
    "L8": Attack(requests.upload),
    "L9": Attack(waiting.exhaust_descriptors, is_gentle=False),
    "L10": Attack(waiting.say_nothing),
    "L11": Attack(waiting.leave_children),
    "L12": Attack(waiting.ask_for_a_page),
    "L13": Attack(events.come_together),
    "L14": Attack(events.read_nothing),
    "L15": Attack(events.send_and_vanish),
    "L16": Attack(events.overtake),
    "L17": Attack(events.come_and_go),
    "L18": Attack(events.send_segments),
    "L19": Attack(surroundings.interrupt, is_gentle=False),
    "L20": Attack(surroundings.fill_the_output, is_gentle=False),
}
