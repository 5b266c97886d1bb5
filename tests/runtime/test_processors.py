"""The quota of control groups, read from the texts of the kernel and from files in a directory of the test."""

import math
import os
from pathlib import Path

import pytest

from pwb_async.runtime.processors import processors, quota

V2 = "0::/a/b\n"
V1 = "4:memory:/x\n3:cpu,cpuacct:/a/b\n2:cpuset:/\n1:name=systemd:/a/b\n"
HYBRID = "1:cpu:/a\n0::/u\n"


def v2(root: str = "/") -> str:
    return f"30 23 0:26 {root} HERE/two rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def v1(root: str = "/") -> str:
    return (
        f"32 31 0:29 {root} HERE/one rw,relatime shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
        f"33 31 0:30 {root} HERE/set rw,relatime - cgroup cgroup rw,cpuset\n"
    )


ROWS = [
    ("none", V2, v2(), {}, math.inf),
    ("max", V2, v2(), {"two/a/b/cpu.max": "max 100000"}, math.inf),
    ("own", V2, v2(), {"two/a/b/cpu.max": "150000 100000"}, 1.5),
    ("above", V2, v2(), {"two/a/b/cpu.max": "max 100000", "two/a/cpu.max": "50000 100000"}, 0.5),
    ("least", V2, v2(), {"two/a/b/cpu.max": "200000 100000", "two/a/cpu.max": "300000 100000"}, 2),
    ("another group's", V2, v2(), {"two/a/c/cpu.max": "50000 100000"}, math.inf),
    ("period", V2, v2(), {"two/a/b/cpu.max": "20000 5000"}, 4),
    ("container, its group is the root", "0::/\n", v2(), {"two/cpu.max": "100000 100000"}, 1),
    ("container, part of the tree", "0::/docker/7\n", v2("/docker/7"), {"two/cpu.max": "100000 100000"}, 1),
    ("part of the tree, a group in it", "0::/docker/7/a\n", v2("/docker/7"), {"two/a/cpu.max": "100000 50000"}, 2),
    ("another part of the tree", "0::/docker/77\n", v2("/docker/7"), {"two/cpu.max": "100000 100000"}, math.inf),
    ("outside of its namespace", "0::/../b\n", v2(), {"b/cpu.max": "100000 100000"}, math.inf),
    ("colon", "0::/a:b\n", v2(), {"two/a:b/cpu.max": "100000 100000"}, 1),
    ("space", "0::/\n", v2().replace("two", r"t\040o"), {"t o/cpu.max": "100000 100000"}, 1),
    ("version 1", V1, v1(), {"one/a/b/cpu.cfs_quota_us": "250000", "one/a/b/cpu.cfs_period_us": "100000"}, 2.5),
    ("version 1, none", V1, v1(), {"one/a/b/cpu.cfs_quota_us": "-1", "one/a/b/cpu.cfs_period_us": "100000"}, math.inf),
    ("version 1, above", V1, v1(), {"one/a/cpu.cfs_quota_us": "50000", "one/a/cpu.cfs_period_us": "100000"}, 0.5),
    ("version 1, container", V1, v1("/a/b"), {"one/cpu.cfs_quota_us": "9", "one/cpu.cfs_period_us": "3"}, 3),
    (
        "version 1, another controller's",
        V1,
        v1(),
        {"set/cpu.cfs_quota_us": "9", "set/cpu.cfs_period_us": "3"},
        math.inf,
    ),
    ("both", HYBRID, v1() + v2(), {"one/a/cpu.cfs_quota_us": "9", "one/a/cpu.cfs_period_us": "3"}, 3),
    ("no number", V2, v2(), {"two/a/b/cpu.max": "many 100000", "two/a/cpu.max": ""}, math.inf),
    ("no period", V2, v2(), {"two/a/b/cpu.max": "100000 0"}, math.inf),
    ("nothing mounted", V2, "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n", {}, math.inf),
    ("no groups", "", "", {}, math.inf),
]


@pytest.mark.parametrize(
    ("groups", "mounts", "files", "granted"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_quota(groups: str, mounts: str, files: dict[str, str], granted: float, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert quota(groups, mounts.replace("HERE", str(tmp_path))) == granted


def test_the_processors_of_this_machine() -> None:
    assert 1 <= processors() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("groups", "mounts"), [("0:/", ""), (V2, "one two - three\n")])
def test_an_unknown_format_is_a_value_error(groups: str, mounts: str) -> None:
    with pytest.raises(ValueError, match="values to unpack"):
        quota(groups, mounts)
