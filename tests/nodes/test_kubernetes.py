"""docs/deploy/kubernetes.yaml: valid for Kubernetes, and right for PWB."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pwb_async.config.loader import read_options
from pwb_async.metrics.cells import ROW_LENGTH
from pwb_async.metrics.families import families

from .cluster import DEPLOY


@cache
def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def one(kind: str) -> Any:
    """The specification of the only object of a kind."""
    (found,) = (each["spec"] for each in documents() if each["kind"] == kind)
    return found


@pytest.mark.parametrize("document", documents(), ids=lambda each: each["kind"])
def test_kubernetes_has_these_fields(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, "1.30", strict=True)


def test_the_container() -> None:
    pod = one("Deployment")["template"]["spec"]
    (container,) = pod["containers"]
    options = read_options("pwb", container["args"], {}, Path("/"))
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert (ports["http"], f"0.0.0.0:{ports['admin']}") == (options.port, str(options.admin))
    assert pod["terminationGracePeriodSeconds"] > options.shutdown_delay + options.grace_period
    readiness = container["readinessProbe"]
    assert options.shutdown_delay > readiness["periodSeconds"] * readiness["failureThreshold"]
    assert {container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness")} == {"/readyz"}
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {str(options.store_cache)}


def test_the_labels() -> None:
    labels = one("Deployment")["template"]["metadata"]["labels"]
    assert one("Service")["selector"] == labels
    assert one("PodDisruptionBudget")["selector"]["matchLabels"] == labels
    assert one("Service")["ports"][0]["targetPort"] == "http", "the admin port is in no Service"


def test_the_metric_of_the_autoscaler_is_made_of_one_that_exists() -> None:
    (rule,) = yaml.safe_load((DEPLOY / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    series = rule["seriesQuery"].partition("{")[0]
    assert series in {f"{family.name}_total" for family in families([1] * ROW_LENGTH)}
    name = re.sub(rule["name"]["matches"], rule["name"]["as"].replace("${1}", r"\1"), series)
    assert one("HorizontalPodAutoscaler")["metrics"][0]["pods"]["metric"]["name"] == name
