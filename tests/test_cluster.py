"""Grading on a Dask cluster gives what grading in local processes gives."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from autograder.classroom import Classroom
from autograder.pool import Cluster, ClusterError, Pool

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def scheduler(monkeypatch):
    """The address of a cluster of two processes on this machine."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.pipeline
@pytest.mark.skipif(sys.platform != "linux", reason="the walls stand on Linux alone")
@pytest.mark.filterwarnings("default")
def test_a_cluster_gives_the_same_scores_as_local_processes(tmp_path, scheduler):
    for name in ("one", "two"):
        folder = tmp_path / "handed-in" / name
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "solutions" / "parameters.py", folder)
    scores = {}
    for runner in (Cluster(scheduler), Pool(1)):
        out = tmp_path / type(runner).__name__
        with runner:
            rooms = Classroom(tmp_path / "handed-in", out, seed=5)
            assert all(not done.trouble for done in rooms.grade(runner))
        scores[type(runner).__name__] = json.loads((out / "students" / "two" / "results.json").read_text())
    assert scores["Cluster"] == scores["Pool"]
    assert scores["Pool"]["score"] == 100


def test_a_cluster_that_does_not_answer_is_named_in_one_sentence():
    pytest.importorskip("distributed")
    with pytest.raises(ClusterError, match="No Dask scheduler answers"):
        Cluster("nonsense://nowhere")
