"""The deadline of each state of a connection (hazards A1 to A7)."""

from pwb_async.core.deadlines import NEVER, Deadline, Timeouts
from pwb_async.core.events import ConnectionState

TIMES = Timeouts(header=10, idle=15, send=60, linger_idle=5, linger=30)


def test_a1_the_first_head_is_timed_from_the_start() -> None:
    deadline = Deadline(TIMES)
    assert deadline.at == NEVER
    assert deadline.arm(ConnectionState.HEAD, 100)
    assert deadline.at == 110


def test_a2_received_bytes_do_not_extend_the_deadline_of_a_head() -> None:
    deadline = Deadline(TIMES)
    deadline.arm(ConnectionState.HEAD, 100)
    for now in range(101, 110):
        assert not deadline.arm(ConnectionState.HEAD, now)
    assert deadline.at == 110


def test_a6_idle_then_a_head_that_begins() -> None:
    deadline = Deadline(TIMES)
    deadline.arm(ConnectionState.IDLE, 100)
    assert deadline.at == 115
    assert deadline.arm(ConnectionState.HEAD, 114)
    assert deadline.at == 124


def test_a3_discarded_content_has_one_short_timeout() -> None:
    deadline = Deadline(TIMES)
    deadline.arm(ConnectionState.CONTENT, 100)
    deadline.arm(ConnectionState.CONTENT, 104)
    assert deadline.at == 105


def test_a13_received_bytes_extend_lingering_up_to_a_limit() -> None:
    deadline = Deadline(TIMES)
    assert deadline.arm(ConnectionState.LINGER, 100)
    for now in range(100, 125):
        deadline.arm(ConnectionState.LINGER, now)
        assert deadline.at == now + 5
    for now in range(125, 131):
        assert not deadline.arm(ConnectionState.LINGER, now)
        assert deadline.at == 130


def test_a_disarmed_deadline_never_passes() -> None:
    deadline = Deadline(TIMES)
    deadline.arm(ConnectionState.IDLE, 100)
    deadline.disarm()
    assert deadline.at == NEVER
    assert deadline.arm(ConnectionState.IDLE, 200)
    assert deadline.at == 215


def test_a6_the_idle_timeout_starts_after_every_response() -> None:
    deadline = Deadline(TIMES)
    deadline.arm(ConnectionState.IDLE, 100)
    deadline.rearm_idle(114)
    assert deadline.at == 129
    assert not deadline.arm(ConnectionState.IDLE, 120)
    assert deadline.at == 129
    assert deadline.arm(ConnectionState.HEAD, 128)
    assert deadline.at == 138


def test_the_defaults_are_those_of_docs_hazards() -> None:
    assert Timeouts() == (10, 15, 60, 5, 30)


def test_lingering_again_has_a_limit_of_its_own() -> None:
    deadline = Deadline(TIMES)
    deadline.arm(ConnectionState.LINGER, 100)
    deadline.disarm()
    deadline.arm(ConnectionState.LINGER, 200)
    deadline.arm(ConnectionState.LINGER, 228)
    assert deadline.at == 230
