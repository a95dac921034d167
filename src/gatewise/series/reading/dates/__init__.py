"""Dates: columns of any form as dates, or as integer time.

- `parsing`: a column, or several; `context`: what it is read with; `earlier`: the forms of an earlier table.
- `formats`, `digits`, `parts`, `objects`, `given_formats`, `ranges`, `two_numbers`: the readings of each kind of cell.
- `part_texts`, `month_names`, `times_of_day`, `joined_time`, `arrays`: parts of dates, and dates from parts.
- `choice`: what decides between readings; `messages`: the errors that name them; `century`: two-digit years.
- `daylight_saving`, `end_midnights`: hours that repeat or are missing, and 00:00 at the end of a day.
"""
