"""How the kit's own tests run. Data folders and the path to the masters are in pyproject.toml."""

from __future__ import annotations

import os

from hypothesis import settings

# Small and always new on a laptop; in CI larger, and the same on every run: a red build
# has its cause in the change.
settings.register_profile("everyday", max_examples=40, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "everyday"))
