"""Reads what someone forgot: files open to everybody in shared folders, the system's own, version control."""

import os

from tools import read, works


def attack(target):
    forgotten, kit = target["forgotten"], target["kit"]
    places = (forgotten, "/etc/passwd", "/etc/hosts", "/proc/mounts", "/proc/sys/kernel/hostname", "/var/log/dpkg.log")
    listed = {
        os.path.dirname(forgotten): os.path.basename(forgotten),
        kit: "solutions",
        "/proc": "self",
        f"{kit}/.git": "HEAD",
    }
    found = [path for path in places if works(read, path)]
    return found + [folder for folder, name in listed.items() if works(lists, folder, name)]


def lists(folder, name):
    return name in os.listdir(folder)
