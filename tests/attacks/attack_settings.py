"""The settings in which attacks are run: who the grading process is, and which walls are left down on purpose."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

KIT = Path(__file__).resolve().parents[2]
SUBMISSIONS = Path(__file__).parent / "submissions"
MARKER = "left-by-an-attack"
SHARED = [folder for folder in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock") if Path(folder).is_dir()]
USER = 49_999  # an ordinary user whom no machine has, just below the uids of workers
ROOT = os.geteuid() == 0
SECONDS = 120


class UnavailableError(Exception):
    """This machine does not have the setting; the message says what is missing."""


@dataclass(frozen=True)
class Setting:
    """One way to run the grading process.

    Attributes:
        who: "here" (as the tests themselves run), "user" (an ordinary one) or "container" (root there).
        without: walls left down.
        level: that the preflight must find.
        open: what it must find open at that level.
    """

    who: str
    without: tuple[str, ...] = ()
    level: str = "A"
    open: tuple[str, ...] = ()


SETTINGS = {
    "here": Setting("here"),
    "here, without Landlock": Setting("here", ("landlock",)),
    "ordinary user": Setting("user"),
    "ordinary user, without Landlock": Setting("user", ("landlock",)),
    "ordinary user, without namespaces": Setting("user", ("mounts",)),
    "container": Setting("container"),
    "container, without Landlock": Setting("container", ("landlock",), "B", ("seeing",)),
}
WEAK_SETTINGS = {
    "here, without seccomp": Setting("here", ("seccomp",), "C", ("processes",)),
    "ordinary user, without namespaces and Landlock": Setting(
        "user", ("mounts", "landlock"), "C", ("hidden", "writing", "seeing")
    ),
    "ordinary user, without any": Setting(
        "user",
        ("mounts", "landlock", "seccomp"),
        "C",
        ("hidden", "network", "processes", "signals", "writing", "seeing"),
    ),
}


def submission(name):
    """The text of one of the submissions."""
    return (SUBMISSIONS / f"{name}.py").read_text(encoding="utf-8")


class Arena:
    """A folder that every user can pass, with everything that the settings need."""

    def __init__(self):
        # Below /tmp an ordinary container hides it, below a home other users cannot pass.
        self.folder = Path(tempfile.mkdtemp(prefix="attacks-", dir="/run" if ROOT else None))
        self.folder.chmod(0o755)

    def close(self):
        shutil.rmtree(self.folder)

    def run(self, setting, attacks, *, bare=False):
        """What the arena's program saw.

        Args:
            setting: a `Setting`.
            attacks: sources by name.
            bare: without any wall, to learn whether the attacks work at all.

        Raises:
            UnavailableError: the machine does not have the setting.
        """
        kit = self._private_kit if setting.who == "container" else KIT
        command = [*self._identity(setting), self._python(setting), "-B", str(kit / "tests/attacks/arena.py"), str(kit)]
        with self._target(kit if setting.who == "container" else self.folder) as target:
            order = {
                "bare": bare,
                "without": list(setting.without),
                "attacks": attacks,
                "honest": submission("honest"),
                "tools": submission("tools"),
                "target": target,
            }
            done = subprocess.run(
                command,
                input=json.dumps(order),
                capture_output=True,
                encoding="utf-8",
                cwd="/",
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "container": "attacks"}
                if setting.who == "container"
                else {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                timeout=SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-2000:]
            return {**json.loads(done.stdout), "touched": self._touched(target)}

    @contextlib.contextmanager
    def _target(self, folder):
        """What attacks aim at, open to everybody who can reach it, so that nothing but the walls is in their way."""
        results = folder / "out" / "results.json"
        results.parent.mkdir()
        results.write_text("{}")
        forgotten = self.folder / "forgotten.py"
        forgotten.write_text("the reference of last year\n")
        results.parent.chmod(0o777)
        results.chmod(0o666)
        try:
            yield {"results": str(results), "forgotten": str(forgotten), "marker": MARKER, "shared": SHARED}
        finally:
            shutil.rmtree(results.parent)

    def _touched(self, target):
        """What is there that was not, or is no more as it was."""
        results = Path(target["results"])
        found = [] if results.read_text() == "{}" and len(list(results.parent.iterdir())) == 1 else ["results"]
        places = [Path(folder, MARKER) for folder in (*SHARED, "/", "/run", "/var/lib", "/home", "/root", "/etc", KIT)]
        places += [Path(sysconfig.get_path(name), f"{MARKER}.pth") for name in ("purelib", "stdlib")]
        for place in places:
            with contextlib.suppress(OSError):
                place.lstat()
                found.append(str(place))
                place.unlink()
        return found

    def _identity(self, setting):
        """The command that turns the test's process into the grading process of a setting."""
        if setting.who == "here" or (setting.who == "user" and not ROOT):
            return []
        if not ROOT:
            raise UnavailableError("only root can become what this setting needs")
        if setting.who == "user":
            return [_tool("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        libraries, aside = Path(sysconfig.get_path("purelib")), self.folder / "libraries"
        hide = " && ".join(f"mount -t tmpfs -o mode=1777 tmpfs {folder}" for folder in SHARED)
        if any(libraries.is_relative_to(folder) for folder in SHARED):  # a checkout below /tmp: of it they alone stay
            aside.mkdir(exist_ok=True)
            back = f"mkdir -p {libraries} && mount --bind {aside} {libraries}"
            hide = f"mount --bind {libraries} {aside} && {hide} && {back}"
        drop = '&& exec capsh --drop=cap_sys_admin,cap_sys_ptrace -- -c \'exec "$0" "$@"\' "$@"'
        _tool("capsh")
        return [_tool("unshare"), "--mount", "--propagation", "private", "/bin/sh", "-c", f"{hide} {drop}", "sh"]

    def _python(self, setting):
        """A Python that the setting's workers can reach."""
        return sys.executable if setting.who == "here" or (not ROOT) else str(self._reachable_python)

    @functools.cached_property
    def _reachable_python(self):
        if not _closed(Path(sys.base_prefix)) and not _closed(Path(sys.prefix)):
            return Path(sys.executable)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        system = shutil.which(f"python{version}", path="/usr/bin:/usr/local/bin:/opt/bin")
        if system is None:
            raise UnavailableError(
                f"Python is below a folder closed to others, and there is no Python {version} elsewhere"
            )
        made = self.folder / "python"
        libraries = Path(sysconfig.get_path("purelib"))
        if _closed(libraries):
            raise UnavailableError(f"{libraries} is closed to others")
        subprocess.run([system, "-m", "venv", "--without-pip", str(made)], check=True, timeout=SECONDS, cwd="/")
        (made / "lib" / f"python{version}" / "site-packages" / "libraries.pth").write_text(f"{libraries}\n")
        return made / "bin" / "python"

    @functools.cached_property
    def _private_kit(self):
        """A copy of the kit that only root can enter, as in the image."""
        kit = self.folder / "kit"
        kit.mkdir(mode=0o700)
        unwanted = shutil.ignore_patterns("__pycache__")
        for name in ("autograder", "solutions", "tests/hidden", "tests/attacks"):
            shutil.copytree(KIT / name, kit / name, ignore=unwanted)
        return kit


def _tool(name):
    path = shutil.which(name)
    if path is None:
        raise UnavailableError(f"there is no {name}")
    return path


def _closed(folder):
    return any(not place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))
