"""Numbers: columns of text with separators, units and markers of missing values as numbers.

- `parsing`: a column as float64; `formats`: all columns of a table in one format each.
- `distinct`: the distinct cells of a column; `parts`: a cell taken apart; `separators`: decimals or thousands.
- `missing_values`: cells that mark missing values; `sentinels`: numbers that seem to.
"""
