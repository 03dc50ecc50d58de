"""Late work and attempts: a small policy, off by default, judged by what Gradescope's metadata says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final

from autograder.contract import ContractError

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """What late work and many attempts cost.

    Attributes:
        late_days: after the due date on which work is still accepted; None for no end.
        late_penalty: percent of the score that each begun day costs.
        grace_minutes: after the due date that cost nothing.
        extensions: days by which the due date moves, by e-mail address; of a group the longest.
        attempts: that are graded; None for no end. A later one keeps the score of the last that was graded.
    """

    late_days: int | None = None
    late_penalty: float = 0.0
    grace_minutes: int = 0
    extensions: Mapping[str, float] = field(default_factory=dict[str, float])
    attempts: int | None = None

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Policy:
        """The policy that a table holds.

        Raises:
            ContractError: there is no such entry, or its value makes no sense.
        """
        known = [item.name for item in fields(cls)]
        if unknown := set(table) - set(known):
            raise ContractError(f"Gradescope policy: nothing is called {min(unknown)!r}; there are {known}.")
        right: dict[str, Callable[[Any], bool]] = {
            "late_days": lambda value: value is None or (type(value) is int and value >= 0),
            "late_penalty": lambda value: _is_number(value) and value <= 100,
            "grace_minutes": lambda value: type(value) is int and value >= 0,
            "extensions": lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
            "attempts": lambda value: value is None or (type(value) is int and value > 0),
        }
        for name, value in table.items():
            if not right[name](value):
                raise ContractError(f"Gradescope policy: {value!r} is no value for {name}.")
        return cls(**table)

    @property
    def on(self) -> bool:
        """Whether it rules anything."""
        return self.late_days is not None or self.late_penalty > 0 or self.attempts is not None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a policy says of one submission.

    Attributes:
        factor: by which the score is multiplied.
        instead: a score that stands in the place of the one that was earned, if any.
        words: for the student.
    """

    factor: float = 1.0
    instead: float | None = None
    words: tuple[str, ...] = ()

    def score(self, earned: float) -> float:
        """The score that counts."""
        return round(earned * self.factor, 4) if self.instead is None else self.instead


def judge(policy: Policy, metadata: Mapping[str, Any]) -> Ruling:
    """What a policy says of a submission; where the metadata does not tell, nothing is held against the student."""
    if not policy.on:
        return Ruling()
    over = _over_the_limit(policy, metadata)
    return over or _lateness(policy, metadata)


def _over_the_limit(policy: Policy, metadata: Mapping[str, Any]) -> Ruling | None:
    earlier = [item for item in _items(metadata.get("previous_submissions")) if not item.get("autograder_error")]
    if policy.attempts is None or len(earlier) < policy.attempts:
        return None
    earlier.sort(key=lambda item: str(item.get("submission_time") or ""))
    kept = _number(earlier[policy.attempts - 1].get("score"))
    words = (
        f"This is attempt {len(earlier) + 1}, and {policy.attempts} are graded: "
        f"the score of attempt {policy.attempts} stands. The tests below are for you to learn from."
    )
    return Ruling(instead=kept, words=(words,))


def _lateness(policy: Policy, metadata: Mapping[str, Any]) -> Ruling:
    created, due = _time(metadata.get("created_at")), _due(metadata)
    if created is None or due is None:
        return Ruling()
    emails = {str(user.get("email") or "").lower() for user in _items(metadata.get("users"))}
    extra = max((days for email, days in policy.extensions.items() if email.lower() in emails), default=0)
    due += extra * _DAY
    extended = f" (with your extension of {extra:g} {'day' if extra == 1 else 'days'})" if extra else ""
    late = created - due - timedelta(minutes=policy.grace_minutes)
    if late <= timedelta(0):
        return Ruling(words=(f"Handed in on time{extended}.",) if extra else ())
    days = math.ceil((created - due) / _DAY)
    said = f"Handed in {days} {'day' if days == 1 else 'days'} late{extended}"
    if policy.late_days is not None and days > policy.late_days:
        allowed = f"{policy.late_days} {'day is' if policy.late_days == 1 else 'days are'}"
        return Ruling(0.0, words=(f"{said}; {allowed} accepted, so the score is 0.",))
    cost = min(100.0, days * policy.late_penalty)
    return Ruling(1 - cost / 100, words=(f"{said}: {f'{cost:g} % of the score is lost' if cost else 'accepted'}.",))


def _due(metadata: Mapping[str, Any]) -> datetime | None:
    """When the work was due: for a student with an extension on Gradescope their own date, else the assignment's."""
    own = [user["assignment"] for user in _items(metadata.get("users")) if isinstance(user.get("assignment"), dict)]
    dates = [date for item in own if (date := _time(item.get("due_date")))]
    assignment = metadata.get("assignment")
    return max(dates) if dates else _time(assignment.get("due_date")) if isinstance(assignment, dict) else None


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else time.astimezone()


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _number(value: Any) -> float:
    """A score as Gradescope tells it, sometimes in quotes."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0
