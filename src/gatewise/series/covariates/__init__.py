"""Covariates: the columns beside the target, the calendar, and the features that both make.

- `roles`: past, known and static columns, and their categories.
- `calendar`: cycles such as the day of the week, as sine and cosine.
- `features`: all of them as arrays of numbers.
"""
