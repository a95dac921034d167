"""Reading: from a file, a table or an array to a panel of checked series, in the order of `read.read`.

- `sources`, `files`: any source as one `table.Table`.
- `cells`, `arguments`: how cells are written, as given; the arguments of `read`, validated.
- `columns`: the columns of the time, the target and the names of series.
- `layouts`, `rows`: the rows of all series; `dates`, `numbers`, `number_formats`: their columns converted.
- `history`: the rows of the past in order, separated from rows of the future.
- `frequency`: the calendar that the series share.
- `validation`: dates and values without gaps on that calendar, repaired on request.
- `request`, `joining`: the requested covariates, added to the series.
- `findings`: what the user should look at.
- `exclusion`: the series with an error.
- `future`: the covariates of the dates to forecast.
"""
