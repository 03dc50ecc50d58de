"""What does one submission to all six cost on Gradescope, cold, from the zip to results.json?

Beside it in the same run: importing torch once, and otter by itself, which grades an empty notebook by the same zip's
placeholder tests without the plugin. Otter imports itself twice for that, once in the notebook's kernel.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile

import pytest

from autograder.faces.otter import guard, packaging

pytestmark = pytest.mark.bench

ROUNDS = 3
OTTER = "import sys; from otter.run.run_autograder import main; main(sys.argv[1], logo=False, zips=False, pdf=False)"


def seconds(*arguments):
    """CPU and wall-clock seconds of a Python process and of all that it has waited for."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", *map(str, arguments)],
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start


@pytest.fixture(scope="module")
def archive():
    return next(package.data for package in packaging.packages() if package.name == "all.zip")


@pytest.fixture
def lay_out(tmp_path, archive, right):
    """Makes a folder such as Gradescope's /autograder, after setup.sh."""

    def make(name):
        folder = tmp_path / name
        for part in ("source", "results"):
            (folder / part).mkdir(parents=True)
        shutil.copytree(right, folder / "submission")
        (folder / "all.zip").write_bytes(archive)
        with zipfile.ZipFile(folder / "all.zip") as zipped:
            zipped.extractall(folder / "source")
        subprocess.run([sys.executable, "-m", "compileall", "-q", folder / "source" / "files"], check=True)
        return folder

    return make


def test_one_submission_cold(results, lay_out, tmp_path):
    torch, whole, otter, core = [], [], [], []
    for number in range(ROUNDS):
        torch.append(seconds("-c", "import torch"))
        folder = lay_out(f"whole {number}")
        whole.append(seconds(folder / "source" / "run_otter.py"))
        assert json.loads((folder / "results" / "results.json").read_text())["score"] == 600
        arguments = guard.core(folder, folder / "submission", folder / "results" / "core.json", 600.0)
        core.append(seconds(*arguments))
        config = folder / "source" / "otter_config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "plugins": []}))
        (tmp_path / f"stage {number}").mkdir()
        otter.append(seconds("-c", OTTER, guard._stage(folder, tmp_path / f"stage {number}")))
    floor, graded, alone, own = (min(times)[0] for times in (torch, whole, otter, core))
    aim = "≤ 2.5 times importing torch"
    importing = f"import torch: {floor:.1f} s"
    results.add(
        "Gradescope, all six, cold: CPU beyond otter's own",
        f"{graded - alone:.1f} s",
        importing,
        (graded - alone) / floor,
        aim,
    )
    results.add("of that, the grading core: CPU", f"{own:.1f} s", importing, own / floor)
    results.add(
        "the same: wall-clock time, otter included", f"{min(whole)[1]:.1f} s", f"otter by itself: {min(otter)[1]:.1f} s"
    )
