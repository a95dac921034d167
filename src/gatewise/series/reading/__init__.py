"""Reading: from a file, a table or an array to a panel of checked series, in the order of `read.read`.

- `sources`, `files`: any source as one `table.Table`.
- `columns`: the columns of the time, the target and the names of series.
- `layouts`, `rows`: the rows of all series, with their `dates` and `numbers`.
- `history`: the rows in order, apart from the rows of the future.
- `frequency`: the calendar that the series share.
- `validation`, `repairs`: values without gaps on that calendar, and the repairs that this needs.
- `request`, `joining`: the covariates that a caller asks for, beside the series.
- `exclusion`: the series with an error.
- `future`: the covariates of the dates to forecast.
"""
