"""The two text formats, as Prometheus's own programs read them."""

import re
import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pwb_async.metrics.cells import BOUNDS, CELL, REQUESTS, ROW_LENGTH
from pwb_async.metrics.exposition import open_metrics, prometheus_text
from pwb_async.metrics.families import Family, Kind, Sample, families, gauge, info

NUMBERS = [number * 1_000_003 for number in range(ROW_LENGTH)]


def all_families() -> list[Family]:
    return [
        *families(NUMBERS),
        gauge("pwb_ready", "Whether.", 1),
        info("pwb_build", 'With "quotes",\nlines and \\.', version='8"\n\\', loop="uvloop"),
    ]


def test_the_parsers_of_the_client_library_accept_both() -> None:
    old = list(parse_text(prometheus_text(all_families()).decode()))
    new = list(parse_open_metrics(open_metrics(all_families()).decode()))
    assert len(old) == len(new) == len(all_families())
    assert {family.name.removesuffix("_info") for family in old} == {family.name for family in new}
    for family in new:
        assert family.type == next(each.kind.value for each in all_families() if each.name == family.name)
    labels = next(family for family in new if family.name == "pwb_build").samples[0].labels
    assert labels == {"version": '8"\n\\', "loop": "uvloop"}


@pytest.mark.parametrize("numbers", [[0] * ROW_LENGTH, NUMBERS, [2**64 - 1] * ROW_LENGTH], ids=["none", "many", "most"])
def test_both_have_the_same_samples(numbers: list[int]) -> None:
    old = {
        (s.name, *sorted(s.labels.items())): s.value
        for f in parse_text(prometheus_text(families(numbers)).decode())
        for s in f.samples
    }
    new = {
        (s.name, *sorted(s.labels.items())): s.value
        for f in parse_open_metrics(open_metrics(families(numbers)).decode())
        for s in f.samples
    }
    assert old == new


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_finds_nothing_to_improve() -> None:
    ran = subprocess.run(
        ["promtool", "check", "metrics"], input=prometheus_text(all_families()), capture_output=True, timeout=30
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


def test_the_histogram_is_that_of_opentelemetry() -> None:
    """Its name is http.server.request.duration, its unit seconds."""
    (family,) = [family for family in families(NUMBERS) if family.kind is Kind.HISTOGRAM]
    assert (family.name, family.unit) == ("http_server_request_duration_seconds", "seconds")
    buckets = [sample for sample in family.samples if sample.suffix == "_bucket"]
    assert [float(dict(sample.labels)["le"]) for sample in buckets] == [*BOUNDS, float("inf")]
    assert (len(BOUNDS), BOUNDS[0]) == (17, 50e-6)
    values = [sample.value for sample in buckets]
    assert values == sorted(values)
    assert family.samples[-1] == Sample("_count", (), values[-1])


def test_no_label_has_a_value_that_a_client_can_choose() -> None:
    values = {
        (name, value) for family in families(NUMBERS) for sample in family.samples for name, value in sample.labels
    }
    assert {name for name, _ in values} == {"method", "status", "le", "state", "result", "place"}
    assert {value for name, value in values if name == "method"} == {"GET", "HEAD", "OPTIONS", "_OTHER"}
    assert all(re.fullmatch(r"[1-5]\d\d|other", value) for name, value in values if name == "status")


def test_every_number_is_shown() -> None:
    """But for the signs of life, which /livez reads."""
    shown = {sample.value for family in families(NUMBERS) for sample in family.samples}
    for name, place in CELL.items():
        if name != "heartbeat":
            assert NUMBERS[place] in shown or NUMBERS[place] / 1e9 in shown, name
    assert all(NUMBERS[place] in shown for place in REQUESTS.values())
