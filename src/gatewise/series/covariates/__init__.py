"""Covariates: columns other than the target, calendar cycles, and their features.

- `roles`: past, known and static columns, and their categories.
- `calendar`: cycles such as the day of the week, as sine and cosine.
- `features`: all of them as arrays of numbers.
"""
