#!/usr/bin/env bash
# Gradescope runs this once, as root, when the zip is uploaded: Python and the libraries, below /opt/autograder.
set -euo pipefail

source=/autograder/source
miniforge=https://github.com/conda-forge/miniforge/releases/download/25.3.1-0
export DEBIAN_FRONTEND=noninteractive

apt-get update
apt-get install --yes --no-install-recommends ca-certificates curl

curl --fail --silent --show-error --location --retry 5 --output /tmp/miniforge.sh \
    "$miniforge/Miniforge3-Linux-$(uname -m).sh"
bash /tmp/miniforge.sh -b -p /opt/miniforge

# The exact versions that the kit is tested with, and of torch the CPU build: the usual one brings gigabytes along.
export PIP_CONSTRAINT=$source/requirements.lock
export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
export PIP_NO_CACHE_DIR=1
/opt/miniforge/bin/mamba env create --yes --prefix /opt/autograder --file "$source/environment.yml"

# Compiled once here rather than for every submission: the core writes nothing beside its own files.
/opt/autograder/bin/python -m compileall -q "$source/files"

# Student code runs as other users: they must reach Python, and nothing of the autograder.
chmod a+rx /opt /opt/autograder
chmod 700 "$source"
/opt/autograder/bin/python -c 'import numpy, otter, torch; print("ready:", torch.__version__)'

/opt/miniforge/bin/mamba clean --all --yes
rm -rf /tmp/miniforge.sh /var/lib/apt/lists/*
