"""Puts files where Python, NumPy, torch or matplotlib would later load them from."""

import sys
import sysconfig

from tools import works, write


def attack(target):
    paths = sysconfig.get_paths()
    folders = {paths["purelib"], paths["stdlib"], f"{paths['stdlib']}/__pycache__", sys.prefix, *filter(None, sys.path)}
    folders |= {f"{home}/{name}" for home in ("/root", "/home") for name in (".cache", ".config", ".local")}
    folders |= {"/tmp/torchinductor_root", "/var/cache/fontconfig", "/usr/share/fonts"}
    return [folder for folder in folders if works(write, f"{folder}/{target['marker']}.pth")]
