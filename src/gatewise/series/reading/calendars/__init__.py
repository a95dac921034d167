"""Calendars: the frequency of series, and their dates and values without gaps.

- `frequency`: the calendar that the series share; `series_calendars`: that of each series.
- `sessions`, `strays`, `swapped`: pauses at night, a date far from all others, days that were read as months.
- `ended`: series that end early.
- `fiscal_years`: years that begin in another month than January.
- `validation`: the checks and repairs of a series; `filling`: how much may be filled.
"""
