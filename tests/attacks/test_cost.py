"""What the walls cost each worker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from attack_settings import KIT

MOST = 8.0  # milliseconds of processor time that all walls of a fresh worker together may take


@pytest.mark.bench
@pytest.mark.parametrize("libraries", [("numpy",), ("numpy", "torch")], ids="-".join)
def test_the_walls_cost_milliseconds(libraries, tmp_path):
    """All walls together take at most 8 ms of processor time per fresh worker."""
    command = [sys.executable, "-B", str(Path(__file__).with_name("cost.py")), str(KIT), *libraries]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd="/", env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    cost = json.loads(done.stdout)
    print(
        f"\n{'+'.join(libraries)}: a fork {cost['bare']:.1f} ms, the walls {cost['walls'] - cost['bare']:.1f} ms more"
    )
    assert cost["walls"] - cost["bare"] <= MOST
