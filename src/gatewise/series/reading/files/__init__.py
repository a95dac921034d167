"""Files: a file, a table of pandas or polars, a series or an array as one table.

- `sources`: any source; `loading`: the bytes of a file; `index`: that of a pandas table.
- `text`: the bytes of a text file as lines; `delimited`: the table in them; `spreadsheet`: the table in a sheet.
- `structure`, `headers`, `totals`, `unnamed`, `row_names`: what stands around a table.
- `shapes`: what the cells look like.
"""
