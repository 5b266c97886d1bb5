"""Which tests have a meaning in the columns of other protocols: those that see what a client of HTTP/1.1 sees."""

from typing import Final

import pytest

from .designs import COLUMNS

OVER_TLS: Final = (
    "tests/conformance/test_access.py",
    "tests/conformance/test_capacity.py",
    "tests/conformance/test_changes.py",
    "tests/conformance/test_endings.py",
    "tests/conformance/test_error_pages.py",
    "tests/conformance/test_fallback.py",
    "tests/conformance/test_large.py",
    "tests/conformance/test_limits.py",
    "tests/conformance/test_listing.py",
    "tests/conformance/test_many.py",
    "tests/conformance/test_rows.py",
    "tests/conformance/test_rules.py",
    "tests/conformance/test_sites.py",
    "tests/conformance/test_splits.py",
    "tests/conformance/test_time.py",
    "tests/conformance/test_types.py",
)
"""The tests of HTTP/1.1 over TLS. The others are about processes, system calls or the bytes of the plain stream."""
NOT_OVER_TLS: Final = (
    "tests/conformance/test_access.py::test_https_in_front",  # a proxy that has TLS, before a server without
    # Of the clients that are refused at the same moment only some are kept until their handshake is complete.
    "tests/conformance/test_capacity.py::test_every_client_gets_a_response_a9_l18",
    "tests/conformance/test_many.py::test_fifty_at_once_then_one_more_l13",  # they connect while the server is stopped
    "tests/conformance/test_many.py::test_burst_of_connects_f6_l19",  # the same
    "tests/conformance/test_rules.py::test_options_for_all_responses",  # without Strict-Transport-Security
)
"""Tests of these files that have no meaning there, and why."""


def has_no_meaning(item: pytest.Item) -> bool:
    """Whether a test belongs to a column in which it has no meaning."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    design = parameters.get("design")
    return design in COLUMNS and (not item.nodeid.startswith(OVER_TLS) or item.nodeid.startswith(NOT_OVER_TLS))
