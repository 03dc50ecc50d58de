"""What an instructor may set for Gradescope: `[tool.autograder.gradescope]` in the kit's pyproject.toml.

`autograder build` writes the settings into the plugin's part of each zip's otter_config.json, where they can still be
changed by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from autograder import contract
from autograder.contract import ContractError
from autograder.faces.otter.policy import Policy

PLUGIN: Final = "autograder.faces.otter.plugin.GradingPlugin"
VISIBILITIES: Final = ("after_published", "after_due_date", "hidden", "visible")
FORMATS: Final = ("text", "md")


@dataclass(frozen=True, slots=True)
class Settings:
    """How submissions are graded and shown on Gradescope.

    Attributes:
        visibility: of hidden tests; public ones are always visible.
        output_format: "text", or "md" for Markdown.
        leaderboard: whether to rank the networks that students' own `fit` trains.
        seconds: for all grading of a submission; below the time-out that is set on Gradescope, 10 minutes by default.
        seed: for hidden inputs; drawn from the suites and masters where it is None.
        allow_weak_isolation: grade even where student code cannot be confined.
        policy: on late work and attempts.
    """

    visibility: str = "after_published"
    output_format: str = "text"
    leaderboard: bool = False
    seconds: int = 480
    seed: int | None = None
    allow_weak_isolation: bool = False
    policy: Policy = field(default_factory=Policy)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Settings:
        """The settings that a table holds.

        Raises:
            ContractError: there is no such setting, or its value makes no sense.
        """
        known = {item.name for item in fields(cls)}
        if unknown := set(table) - known:
            raise ContractError(f"Gradescope: no setting is called {min(unknown)!r}; there are {sorted(known)}.")
        right: dict[str, Callable[[Any], bool]] = {
            "visibility": lambda value: value in VISIBILITIES,
            "output_format": lambda value: value in FORMATS,
            "leaderboard": lambda value: isinstance(value, bool),
            "seconds": lambda value: type(value) is int and value > 0,
            "seed": lambda value: value is None or (type(value) is int and value >= 0),
            "allow_weak_isolation": lambda value: isinstance(value, bool),
            "policy": lambda value: isinstance(value, dict),
        }
        for name, value in table.items():
            if not right[name](value):
                raise ContractError(f"Gradescope: {value!r} is no value for {name}.")
        values: dict[str, Any] = {**table, "policy": Policy.of(table.get("policy", {}))}
        return cls(**values)

    def table(self) -> dict[str, Any]:
        """Plain data that `of` reads back."""
        return asdict(self)


def read() -> Settings:
    """The settings of this checkout; the defaults where there are none."""
    path = contract.kit_root() / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise ContractError(f"{path}: {error}") from error
    return Settings.of(table.get("tool", {}).get("autograder", {}).get("gradescope", {}))
