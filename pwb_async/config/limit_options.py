"""The options that bound what a client may take, a part of those that options.py has."""

from dataclasses import dataclass

from .declarations import Topic, option
from .option_types import BYTES, COUNT, COUNT_OR_0, RATE, SECONDS, SECONDS_OR_0


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # only Options is made
class LimitOptions:
    """The options about time and about amounts."""

    header_timeout: float = option(Topic.TIMEOUTS, 10.0, SECONDS, "Time for a whole request head to arrive.")
    idle_timeout: float = option(Topic.TIMEOUTS, 15.0, SECONDS, "Time between a response and the next request.")
    send_timeout: float = option(Topic.TIMEOUTS, 60.0, SECONDS, "Time within which a client must take some bytes.")
    min_send_rate: int = option(
        Topic.TIMEOUTS, 0, RATE, "Bytes a second that a client must take, measured over --send-timeout; 0: any."
    )
    linger_idle: float = option(
        Topic.TIMEOUTS, 5.0, SECONDS, "Time to wait for more unread bytes before a connection is closed."
    )
    linger_timeout: float = option(
        Topic.TIMEOUTS, 30.0, SECONDS, "Time to read all unread bytes before a connection is closed."
    )
    grace_period: float = option(
        Topic.TIMEOUTS, 30.0, SECONDS_OR_0, "Time for responses under way to end when the server stops."
    )

    max_connections: int = option(
        Topic.LIMITS, 0, COUNT_OR_0, "Connections at once, shared by the workers; 0: as many as descriptors allow."
    )
    max_connections_per_ip: int = option(Topic.LIMITS, 0, COUNT_OR_0, "Connections of one client at once; 0: any.")
    requests_per_connection: int = option(
        Topic.LIMITS, 1000, COUNT_OR_0, "Requests after which a connection is closed; 0: no limit."
    )
    max_request_line: int = option(Topic.LIMITS, 8190, BYTES, "Longest request line.", at_most="max_head")
    max_field: int = option(Topic.LIMITS, 8190, BYTES, "Longest field line of a request.", at_most="max_head")
    max_fields: int = option(Topic.LIMITS, 100, COUNT, "Most fields of a request.")
    max_head: int = option(Topic.LIMITS, 32768, BYTES, "Largest request head: request line and all fields.")
    max_content: int = option(
        Topic.LIMITS, 65536, BYTES, "Most content of a request that is skipped to keep the connection."
    )
    max_ranges: int = option(Topic.LIMITS, 512, COUNT, "Most byte ranges of a request.")
