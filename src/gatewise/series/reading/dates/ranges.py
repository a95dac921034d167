"""Date ranges: cells such as 03.01.2022 - 09.01.2022 as their start, and names of time zones as UTC offsets.

Letters: C distinct cells.
"""

import re

import pandas as pd

_RANGE = re.compile(r"(.*\d) ?(?:(?<= )(?:-|–|bis|to)(?= )|/) ?(\d.*)")
_TIME = re.compile(r"\d{1,2}[:.]\d\d(?:[:.]\d\d)?")
_OFFSETS = {
    **{"WET": "+00:00", "WEST": "+01:00", "BST": "+01:00", "CET": "+01:00", "MEZ": "+01:00"},
    **{"CEST": "+02:00", "MESZ": "+02:00", "EET": "+02:00", "EEST": "+03:00"},
}
_ZONED = re.compile(rf"(.*\d) ?({'|'.join(_OFFSETS)})")
LEAST = 8  # letters of a date


def plain_dates(cells: pd.Series) -> pd.Series:
    """Distinct cells (C,) without the end of a range and with offsets for zones, if every cell has them.

    >>> plain_dates(pd.Series(["03.01.2022 - 09.01.2022", "10.01.2022 - 16.01.2022"])).tolist()
    ['03.01.2022', '10.01.2022']
    >>> plain_dates(pd.Series(["2023-07-01 00:00 CEST"])).tolist()
    ['2023-07-01 00:00+02:00']
    """
    if len(cells) and is_range(cells.iloc[0]):
        found = [_RANGE.fullmatch(cell) for cell in cells]
        if all(map(is_range, cells)):
            return pd.Series([match[1].strip() for match in found if match], index=cells.index)
    if len(cells) and _ZONED.fullmatch(cells.iloc[0]):
        found = [_ZONED.fullmatch(cell) for cell in cells]
        if all(found):
            return pd.Series([match[1] + _OFFSETS[match[2]] for match in found if match], index=cells.index)
    return cells


def is_range(cell: str) -> bool:
    """Whether a cell is two dates of one form, or a date and two times."""
    match = _RANGE.fullmatch(cell)
    if match is None:
        return False
    start, end = match[1].strip(), match[2].strip()
    same = re.sub(r"\d+", "0", start) == re.sub(r"\d+", "0", end) and len(end) >= LEAST
    return len(start) >= LEAST and (same or bool(_TIME.fullmatch(end) and _TIME.search(start[LEAST:])))
