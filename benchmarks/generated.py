"""Generated series that look like those of a business; their equations, and their truth, are known.

Each function returns a long table (unique_id, ds, y, and covariates), and the same table for the same seed.

Letters: `t` time step, `s` series, `e` independent standard normal noise.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

SEASONS = {"MS": 12, "QS": 4, "W-SUN": 52, "YS": 1}  # steps of a year, by frequency
HOLIDAYS = ("01-01", "05-01", "08-15", "10-03", "11-01", "12-24", "12-25", "12-26")  # month and day
WEEKDAYS = np.array([0.9, 0.85, 0.9, 1.0, 1.2, 1.5, 0.65])  # Monday to Sunday, of the shops
INTERMITTENT_SALES, INTERMITTENT_SIZE = 0.2, 40 / 7  # fraction of days with a sale, its mean size: 32 units in 28 days
PROMOTION, HOLIDAY = 1.3, 0.5  # factors of the sales of a shop


def admissions(shift: float = -0.35, before_end: int = 24, seed: int = 0, years: int = 12) -> pd.DataFrame:
    """Monthly admissions with a level shift.

    y_t = 400 (1 + 0.02 t / 12) (1 + 0.15 cos(2 pi (t - 1) / 12)) (1 + shift [t >= n - before_end]) exp(0.05 e_t)

    Arguments:
        shift: relative size, such as -0.35 or 0.6.
        before_end: months from the first shifted value to the end, both included.
        seed: of the noise.
        years: length; n is 12 times as large.
    """
    generator = np.random.default_rng(seed)
    t = np.arange(12 * years)
    level = 400 * (1 + 0.02 * t / 12) * np.where(t >= len(t) - before_end, 1 + shift, 1)
    y = level * (1 + 0.15 * np.cos(2 * np.pi * (t - 1) / 12)) * np.exp(0.05 * generator.normal(size=len(t)))
    return _long({"admissions": y}, pd.date_range("2012-01-01", periods=len(t), freq="MS"))


def collection(freq: str, length: int, series: int = 50, seed: int = 0) -> pd.DataFrame:
    """Business series with random level, damped trend, season and noise, some with outliers and a shift.

    log y_t = log L + g (1 - 0.98^t) / 0.02 + A (cos(2 pi t / m + p) + 0.4 cos(4 pi t / m + q)) + w_t + S [t >= k]
              + o_t + sigma e_t

    with L log-uniform in 50 to 5000, g m normal with deviation 0.06, A uniform in 0 to 0.3 (0 without a season), w_t a
    random walk with steps of deviation uniform in 0 to 0.02, S for one series in five uniform in -0.4 to 0.4 at a
    place k within the middle 60 %, o_t for one value in a hundred uniform in ± 0.3 to 0.8, and sigma uniform in 0.02
    to 0.15.

    Arguments:
        freq: "MS", "QS", "W-SUN" or "YS"; a season m has 12, 4, 52 or 1 steps.
        length: values of each series.
        series: number of series.
        seed: of everything random.
    """
    generator = np.random.default_rng([seed, SEASONS[freq]])
    names = [f"{freq}{k:02}" for k in range(series)]
    dates = pd.date_range(end="2024-12-31", periods=length, freq=freq)
    return _long({name: _business(generator, length, SEASONS[freq]) for name in names}, dates)


def _business(generator: np.random.Generator, length: int, season: int) -> np.ndarray:
    t = np.arange(length)
    growth = generator.normal(0, 0.06) / season
    amplitude, first, second = generator.uniform(0, (0.3, 2 * np.pi, 2 * np.pi))
    cycle = np.cos(2 * np.pi * t / season + first) + 0.4 * np.cos(4 * np.pi * t / season + second)
    walk = np.cumsum(generator.normal(0, generator.uniform(0, 0.02), length))
    place, size, shifted = generator.uniform((0.2, -0.4, 0), (0.8, 0.4, 1))
    shift = np.where((shifted < 0.2) & (t >= place * length), size, 0)
    outliers = generator.uniform(0.3, 0.8, length) * generator.choice([-1, 1], length)
    outliers *= generator.uniform(size=length) < 0.01
    noise = generator.uniform(0.02, 0.15) * generator.normal(size=length)
    level = generator.uniform(np.log(50), np.log(5000)) + growth * (1 - 0.98**t) / 0.02
    return np.asarray(np.exp(level + (season > 1) * amplitude * cycle + walk + shift + outliers + noise))


def years(seed: int = 0, values: int = 25) -> pd.DataFrame:
    """One yearly series: y_t = 100 exp(0.02 t + w_t), w_t a random walk with steps of deviation 0.04."""
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 0.04, values))
    y = 100 * np.exp(0.02 * np.arange(values) + walk)
    return _long({"years": y}, pd.date_range("2000-01-01", periods=values, freq="YS"))


def load(seed: int = 0, weeks: int = 20) -> pd.DataFrame:
    """Hourly load that responds to the temperature, which is known in advance.

    y_t = 1000 p(hour, weekday) + 12 max(15 - T_t, 0) + 18 max(T_t - 22, 0) + u_t

    p is 0.7 + 0.3 exp(-((hour - 9) / 3)^2) + 0.4 exp(-((hour - 19) / 3)^2), lower by 20 % at weekends; T_t is a yearly
    and a daily cycle with an AR(1) of coefficient 0.97; u_t is an AR(1) of coefficient 0.8 and deviation 25.

    Returns:
        Table with the covariate temperature, in degrees Celsius.
    """
    generator = np.random.default_rng(seed)
    ds = pd.date_range("2024-03-04", periods=weeks * 168, freq="h")
    hour, day = ds.hour.to_numpy(), ds.day_of_year.to_numpy()
    cycles = 12 + 10 * np.sin(2 * np.pi * (day - 105) / 365) + 4 * np.sin(2 * np.pi * (hour - 9) / 24)
    temperature = cycles + _autoregression(generator, len(ds), 0.97, 3.0)
    profile = 0.7 + 0.3 * np.exp(-(((hour - 9) / 3) ** 2)) + 0.4 * np.exp(-(((hour - 19) / 3) ** 2))
    profile = profile * np.where(ds.day_of_week >= 5, 0.8, 1.0)
    heating, cooling = np.maximum(15 - temperature, 0), np.maximum(temperature - 22, 0)
    y = 1000 * profile + 12 * heating + 18 * cooling + _autoregression(generator, len(ds), 0.8, 25.0)
    return _long({"load": y}, ds).assign(temperature=temperature)


def shops(
    seed: int = 0,
    series: int = 11,
    days: int = 731,
    opened: Mapping[int, int] | None = None,
    closed: Mapping[int, int] | None = None,
    intermittent: tuple[int, ...] = (),
) -> pd.DataFrame:
    """Daily counts of shops that share shocks, with promotions and holidays that are known in advance.

    y_st is negative binomial with mean m_st and variance m_st + m_st^2 / 50, where
    m_st = L_s d(weekday) (1 + 0.15 cos(2 pi (day - 350) / 365)) 1.3^promotion 0.5^holiday exp(c_t + 0.05 e_st).

    L_s is log-uniform in 20 to 200; the shock c_t of all shops is an AR(1) of coefficient 0.5 and deviation 0.12. One
    week in six of a shop has a promotion. An intermittent shop sells on one day in five, 32 units in 28 days on
    average, whatever the day.

    Arguments:
        seed: of everything random.
        series: number of shops.
        days: length; the last day is 2024-12-31.
        opened: shop -> its number of days; its table has no earlier rows.
        closed: shop -> days of zeros at its end.
        intermittent: positions of such shops.

    Returns:
        Table with the covariates promotion and holiday, 0 or 1.
    """
    generator = np.random.default_rng(seed)
    ds = pd.date_range(end="2024-12-31", periods=days, freq="D")
    holiday = holidays(ds)
    season = 1 + 0.15 * np.cos(2 * np.pi * (ds.day_of_year.to_numpy() - 350) / 365)
    common = _autoregression(generator, days, 0.5, 0.12)
    day = WEEKDAYS[ds.day_of_week] * season * np.where(holiday, HOLIDAY, 1.0) * np.exp(common)
    tables = []
    for k in range(series):
        promotion = np.repeat(generator.uniform(size=days // 7 + 1) < 1 / 6, 7)[:days]
        level = np.exp(generator.uniform(np.log(20), np.log(200)))
        rate = level * day * np.where(promotion, PROMOTION, 1.0) * np.exp(0.05 * generator.normal(size=days))
        y = generator.poisson(rate * generator.gamma(50, 1 / 50, days))
        if k in intermittent:
            sizes = 1 + generator.poisson(INTERMITTENT_SIZE - 1, days)
            y = np.where(generator.uniform(size=days) < INTERMITTENT_SALES, sizes, 0)
        y[days - (closed or {}).get(k, 0) :] = 0
        table = _long({f"shop{k:02}": y.astype(float)}, ds)
        table = table.assign(promotion=promotion.astype(int), holiday=holiday.astype(int))
        tables.append(table.tail((opened or {}).get(k, days)))
    return pd.concat(tables, ignore_index=True)


def holidays(ds: pd.DatetimeIndex) -> np.ndarray:
    """Whether each day is a holiday."""
    return np.asarray(ds.strftime("%m-%d").isin(HOLIDAYS))


def _autoregression(generator: np.random.Generator, length: int, coefficient: float, deviation: float) -> np.ndarray:
    """A stationary AR(1) of zero mean and a standard deviation."""
    noise = generator.normal(0, deviation * np.sqrt(1 - coefficient**2), length)
    values = np.empty(length)
    value = generator.normal(0, deviation)
    for t in range(length):
        value = coefficient * value + noise[t]
        values[t] = value
    return values


def _long(values: Mapping[str, np.ndarray], ds: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.concat([pd.DataFrame({"unique_id": name, "ds": ds, "y": y}) for name, y in values.items()])
