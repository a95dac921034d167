"""Roles: which columns are past, known or static covariates, their categories, and the names of their features.

Letters: P past-only features, K known-future features (the calendar's among them), C static features.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from gatewise.arguments import plain
from gatewise.series.covariates.calendar import choose_cycles, feature_names
from gatewise.series.errors import DataError
from gatewise.series.wording import did_you_mean, listed

MOST_CATEGORIES = 100
NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
CATEGORIES = ("string", "boolean")

Category: TypeAlias = str | bool | int | float


@dataclass(frozen=True)
class Covariates:
    """The covariate columns of a table, and the features of these columns and of the calendar.

    A column of numbers is one feature. A column of categories is one feature per category, with the values 0 and 1.

    Attributes:
        past: columns known only up to the end of the series.
        known: columns known in advance.
        static: columns with one value per series.
        categories: column -> its categories in the order of their features; other columns are numbers.
        calendar: the calendar cycles in use, such as "day of week", a sine and a cosine each.
        read_by: layout, id_column, time_column, target_column and aggregate of their table; see `gatewise.read`.

    >>> table = pd.DataFrame({"price": [1.0, 1.5, 1.2], "holiday": ["none", "easter", "none"]})
    >>> covariates = Covariates.of(table, past="price", known="holiday", calendar=True, freq="MS")
    >>> covariates.past_features, covariates.known_features[:2], covariates.sizes
    (('price',), ('holiday=easter', 'holiday=none'), (1, 4, 0))
    >>> Covariates.of_content(covariates.content(), "MS") == covariates
    True
    """

    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    categories: Mapping[str, tuple[Category, ...]] = field(default_factory=dict)
    calendar: tuple[str, ...] = ()
    read_by: Mapping[str, str | list[str]] = field(default_factory=dict, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every source column."""
        return (*self.past, *self.known, *self.static)

    @property
    def past_features(self) -> tuple[str, ...]:
        """The names of the P features known up to the end."""
        return self._features(self.past)

    @property
    def known_features(self) -> tuple[str, ...]:
        """The names of the K features known in advance, those of the calendar last."""
        return (*self._features(self.known), *feature_names(self.calendar))

    @property
    def static_features(self) -> tuple[str, ...]:
        """The names of the C static features."""
        return self._features(self.static)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """P, K and C."""
        return len(self.past_features), len(self.known_features), len(self.static_features)

    def role(self, column: str) -> str:
        """A column with its role: "known covariate 'price'"."""
        role = "past" if column in self.past else "known" if column in self.known else "static"
        return f"{role} covariate {column!r}"

    def width(self, columns: Sequence[str]) -> int:
        """The number of features of these columns."""
        return sum(len(self.categories.get(column, (None,))) for column in columns)

    def _features(self, columns: Sequence[str]) -> tuple[str, ...]:
        return tuple(
            name
            for column in columns
            for name in ([f"{column}={category}" for category in self.categories.get(column, ())] or [column])
        )

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        past: str | Sequence[str] = (),
        known: str | Sequence[str] = (),
        static: str | Sequence[str] = (),
        calendar: bool | str | Sequence[str] = False,
        freq: str | int = 1,
        *,
        reserved: Mapping[str, str] | None = None,
    ) -> "Covariates":
        """The covariates among the columns of a table; text, bool and categorical columns are categories.

        Arguments:
            frame: long table with every covariate as a column.
            past: columns known only up to the end of the series.
            known: columns known in advance.
            static: columns with one value per series.
            calendar: True for every cycle of the frequency, or the names of some.
            freq: pandas offset alias, or the step of integer time.
            reserved: column -> its other use, such as {"y": "target"}.

        Raises:
            DataError: unknown columns, columns named twice or reserved, without any value, of more than 100
                categories, or of neither numbers nor categories; cycles that the frequency does not have.
        """
        roles = {"past": as_names(past), "known": as_names(known), "static": as_names(static)}
        columns = [column for names in roles.values() for column in names]
        _check_columns(frame, columns, reserved or {})
        categories = {column: _categories(frame[column]) for column in columns if not _is_numbers(frame[column])}
        past, known, static = roles.values()
        return cls(past, known, static, categories, choose_cycles(calendar, freq))

    def check_columns(self, frame: pd.DataFrame, reserved: Mapping[str, str]) -> None:
        """Check that another table has the same covariates; for the arguments and errors see `of`."""
        _check_columns(frame, self.columns, reserved)

    def describe(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Sentences that state how the columns of a table are read, and which columns are constant."""
        roles = {"past": self.past, "known": self.known, "static": self.static}
        sentences = [
            f"{role} covariates: {', '.join(map(self._kind, names))}" for role, names in roles.items() if names
        ]
        if self.calendar:
            sentences.append(f"calendar features: {', '.join(self.calendar)}")
        constant = [column for column in self.columns if _is_constant(frame[column], self.categories.get(column))]
        sentences += [f"covariate {column!r} is constant and carries no information" for column in constant]
        return tuple(sentences)

    def _kind(self, column: str) -> str:
        count = len(self.categories.get(column, ()))
        return f"{column!r} ({'numbers' if not count else '1 category' if count == 1 else f'{count} categories'})"

    def content(self) -> dict[str, Any]:
        """The covariates as plain JSON content."""
        return {
            **{name: list(getattr(self, name)) for name in ("past", "known", "static", "calendar")},
            "categories": {column: list(values) for column, values in self.categories.items()},
            "read_by": dict(self.read_by),
        }

    @classmethod
    def of_content(cls, content: Any, freq: str | int) -> "Covariates":
        """Covariates from plain JSON content, validated before use.

        Raises:
            ValueError: an invalid field; the message names it and the expected content.
        """
        fields = {"past", "known", "static", "calendar", "categories", "read_by"}
        if not isinstance(content, dict) or set(content) != fields:
            raise ValueError(f"covariates are {content!r:.80}, expected the fields {', '.join(sorted(fields))}")
        roles = {name: _text(name, content[name]) for name in ("past", "known", "static")}
        columns = [column for names in roles.values() for column in names]
        if len(set(columns)) < len(columns):
            raise ValueError(f"covariates are {columns!r:.80}, expected each column once")
        categories = content["categories"]
        if not isinstance(categories, dict) or not set(categories) <= set(columns):
            raise ValueError(f"categories are {categories!r:.80}, expected lists of categories by covariate")
        checked = {column: _checked_categories(column, values) for column, values in categories.items()}
        calendar = _text("calendar", content["calendar"])
        if choose_cycles(calendar, freq) != calendar:
            raise ValueError(f"calendar is {calendar!r:.80}, expected the cycles of {freq!r} in their order")
        past, known, static = roles.values()
        return cls(past, known, static, checked, calendar, _read_by(content["read_by"]))


def as_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Names of columns, given as one name or several."""
    if not isinstance(names, str | Sequence):
        raise DataError(f"covariates are {names!r}, expected names of columns such as ['price']")
    return (names,) if isinstance(names, str) else tuple(names)


def _check_columns(frame: pd.DataFrame, columns: Sequence[str], reserved: Mapping[str, str]) -> None:
    for i, column in enumerate(columns):
        if column in reserved:
            raise DataError(
                f"covariate {column!r} is already the {reserved[column]} column; remove it from the covariates"
            )
        if column not in frame.columns:
            raise DataError(
                f"covariate {column!r} is not among the columns {listed(frame.columns)}; correct its name"
                f"{did_you_mean(column, frame.columns)}"
            )
        if column in columns[:i]:
            raise DataError(f"covariate {column!r} is named twice; name it once, as past=, known= or static=")
        if frame[column].isna().all():
            raise DataError(f"covariate {column!r} has no values at all; add values, or omit the covariate")


# -------------------------------------------------------------------------------------------------------- columns


def _is_numbers(column: pd.Series) -> bool:
    """Whether a column holds numbers, not categories; other kinds are refused."""
    if isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype):
        return False
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in (*NUMBERS, *CATEGORIES):
        raise DataError(
            f"covariate {column.name!r} holds {kind} values, expected numbers, text or True and False; convert them, "
            "for example with astype(str)"
        )
    return kind in NUMBERS


def _categories(column: pd.Series) -> tuple[Category, ...]:
    """The categories of a column, sorted, numbers before text."""
    distinct = pd.Series(column.unique()).dropna()
    values = [value for value in map(plain, distinct) if not is_blank(value)]
    if not all(isinstance(value, str | int) or _is_finite(value) for value in values):
        raise DataError(
            f"covariate {column.name!r} has categories that are neither text nor numbers; convert them to text"
        )
    if not values:
        raise DataError(f"covariate {column.name!r} has no values at all; add values, or omit the covariate")
    if len(values) > MOST_CATEGORIES:
        raise DataError(
            f"covariate {column.name!r} has {len(values)} categories, expected at most {MOST_CATEGORIES}; merge rare "
            'ones into "other", or use numbers instead'
        )
    return tuple(sorted(values, key=lambda value: (isinstance(value, str), value)))


def _is_constant(column: pd.Series, categories: tuple[Category, ...] | None) -> bool:
    if categories is not None:
        return len(categories) == 1
    numbers = pd.to_numeric(column)
    return bool(numbers.min() == numbers.max())


def is_blank(value: Any) -> bool:
    """Whether a cell holds only spaces, which count as missing."""
    return isinstance(value, str) and not value.strip()


def is_given(column: pd.Series) -> np.ndarray:
    """(N,) whether each cell has a value; a cell of spaces has none."""
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.notna())
    codes, distinct = pd.factorize(column)
    return np.asarray(np.array([*(not is_blank(value) for value in distinct), False])[codes])


# -------------------------------------------------------------------------------------------------------- content


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _text(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{name} is {value!r:.80}, expected a list of names")
    return tuple(value)


def _read_by(content: Any) -> dict[str, str | list[str]]:
    kinds: dict[str, tuple[type, ...]] = {"layout": (str,), "id_column": (str, list), "aggregate": (str,)}
    kinds |= dict.fromkeys(("time_column", "target_column"), (list,))
    if not isinstance(content, dict) or any(type(value) not in kinds.get(name, ()) for name, value in content.items()):
        raise ValueError(f"read_by is {content!r:.80}, expected some of {', '.join(kinds)}")
    return {name: list(_text(name, value)) if isinstance(value, list) else value for name, value in content.items()}


def _checked_categories(column: str, values: Any) -> tuple[Category, ...]:
    """The categories of a column, validated."""
    is_list = isinstance(values, list) and 1 <= len(values) <= MOST_CATEGORIES
    if not is_list or not all(type(value) in (str, bool, int) or _is_finite(value) for value in values):
        raise ValueError(
            f"categories of {column!r:.80} are {values!r:.80}, expected 1 to {MOST_CATEGORIES} texts, numbers or bools"
        )
    if len(set(values)) < len(values) or any(map(is_blank, values)):
        raise ValueError(f"categories of {column!r:.80} are {values!r:.80}, expected distinct ones that are not blank")
    return tuple(values)
