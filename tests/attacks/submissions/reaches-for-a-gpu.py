"""Opens graphics devices: a context there could hold memory that no limit counts."""

import glob
import os

from tools import works


def attack(target):
    devices = (*glob.glob("/dev/nvidia*"), *glob.glob("/dev/dri/*"), "/dev/kvm", "/dev/vsock", "/dev/fuse", "/dev/mem")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "all of them")
    return [path for path in devices if works(os.open, path, os.O_RDWR)] + ([visible] if visible else [])
