"""Series: read, validated, repaired on request, and returned as tables.

`read` takes a file, a table or an array and returns a `Panel` of checked series, with a sentence for every guess. It
raises a `DataError` for invalid data; the message names the series, the row or date, and the remedy.

- `reading`: from any source to a panel; `reading.read` calls the steps in order.
- `panel`: the series, their panel, their forecasts.
- `covariates`: columns other than the target, calendar cycles, and their features.
- `backends`: tables of pandas and polars.
- `frequency`: infer, continue and describe the calendar of a time index.
- `values`: the largest allowed magnitude, and the valid neighbours of a missing value.
- `errors`, `wording`: errors, and the phrases that messages share.
- `output`: tables as CSV files.
- `summary`: what was understood of a table; `seasonality`: a test for a season.
"""

from gatewise.series.backends import to_table
from gatewise.series.errors import DataError
from gatewise.series.frequency import check_frequency, future, longer_season_length, season_length
from gatewise.series.output import as_pandas, write_csv
from gatewise.series.panel import ExcludedSeries, Forecast, Panel, Series, check_length, futures, to_frame
from gatewise.series.reading.future import known_ahead
from gatewise.series.reading.read import read
from gatewise.series.reading.splitting import split_by_frequency
from gatewise.series.summary import Summary, check
from gatewise.series.values import LARGEST

__all__ = [
    "LARGEST",
    "DataError",
    "ExcludedSeries",
    "Forecast",
    "Panel",
    "Series",
    "Summary",
    "as_pandas",
    "check",
    "check_frequency",
    "check_length",
    "future",
    "futures",
    "known_ahead",
    "longer_season_length",
    "read",
    "season_length",
    "split_by_frequency",
    "to_frame",
    "to_table",
    "write_csv",
]
