"""The process that asks an object store where no event loop runs."""

from pathlib import Path

import pytest

from pwb_async.runtime.object_stores import run_in_process
from pwb_async.storage.deferred import Fetch, NoAnswerError
from pwb_async.storage.object_store.client import StoreClient


def test_a_module_of_the_working_directory_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pickle.py").write_text("open('run', 'w')")
    client = StoreClient("s3://bucket", 5)
    (failure,) = run_in_process(client, [Fetch(client, "no_method", (), str, lambda: False)], 5)
    assert isinstance(failure, NoAnswerError)
    assert not Path("run").exists()
