"""Reading: from a file, a table or an array to a panel of checked series, in the order of `read.read`.

- `cells`, `arguments`: how cells are written, as given; the arguments of `read`, validated.
- `files`: any source as one `table.Table`.
- `columns`: the columns of the time, the target and the names of series.
- `layouts`, `rows`: the rows of all series; `dates`, `numbers`: their columns converted; `aggregate`: one row a date.
- `history`: the rows of the past in order, separated from rows of the future.
- `calendars`: the calendar that the series share; dates and values without gaps on it, repaired on request.
- `request`, `joining`: the requested covariates, added to the series.
- `outliers`, `findings`: treatment of outliers; what the user should look at.
- `exclusion`: the series with an error.
- `splitting`: a panel for each frequency; `future`: the covariates of the dates to forecast.
"""
