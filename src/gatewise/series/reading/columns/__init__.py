"""Columns: which columns hold the time, the target and the names of series.

- `choice`: all of them; `time`, `targets`, `ids`: the candidates for each.
- `split_dates`: a date in several columns; `merged_series`: names of series whose dates never coincide.
- `filled_down`: names in the first row of a group; `duplicates`, `subtotals`: several rows of a date.
- `wide`: tables with dates in the header; `header`, `header_names`: these dates; `other_columns`: totals among them.
- `row_names`: names of the rows of wide tables; `sums`: rows and columns that are sums of others.
- `crossed`: years in rows and months in columns.
"""
