"""Reading: from a file, a table or an array to a panel of checked series, in the order of `read.read`.

- `sources`, `files`: any source as one `table.Table`.
- `columns`: the columns of the time, the target and the names of series.
- `layouts`, `rows`: the rows of all series; `dates`, `numbers`: their columns converted.
- `history`: the rows of the past in order, separated from rows of the future.
- `frequency`: the calendar that the series share.
- `validation`: dates and values without gaps on that calendar, repaired on request.
- `request`, `joining`: the requested covariates, added to the series.
- `exclusion`: the series with an error.
- `future`: the covariates of the dates to forecast.
"""
