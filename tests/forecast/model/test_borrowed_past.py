"""The past that new series borrow from longer ones."""

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.model.borrowed_past import MOST_DONORS, NewSeries, Placed, Pool, fewest, with_past
from gatewise.series import Series
from tests.waves import window_scaling

SCALING = window_scaling(context=12, season=4)
DS = pd.date_range("2024-01-01", periods=60)


def one(name, y, first=0, **parts):
    y = np.asarray(y, float)
    return Series(name, DS[first : first + len(y)], y, **parts)


def longer(count=4, size=60, **parts):
    generator = np.random.default_rng(1)
    return [one(f"L{k}", (k + 1) * (10 + generator.random(size)), **parts) for k in range(count)]


def test_a_window_and_four_seasons_are_not_new():
    assert fewest(SCALING) == max(SCALING.needed, 16)
    assert fewest(window_scaling(context=4, season=12)) == 48


def test_the_past_has_the_level_of_the_new_series():
    donor, new = one("L", np.arange(1.0, 21)), NewSeries(one("N", [36.0, 38.0, 99.0], first=17), 2)
    extended, cut = with_past(new, Placed(donor, 17), 5)
    assert cut == 7
    assert extended.y.tolist() == [26.0, 28.0, 30.0, 32.0, 34.0, 36.0, 38.0, 99.0]
    assert extended.ds.equals(DS[12:20])
    assert extended.unique_id == "N"
    assert extended.filled is None


def test_with_negative_values_mean_and_deviation_are_matched():
    past, shared, own = np.array([0.0, -3.0, 2.0]), np.array([-1.0, 3.0, 1.0]), np.array([8.0, 16.0, 12.0])
    new = NewSeries(one("N", own, first=3), 3)
    extended, _ = with_past(new, Placed(one("L", [*past, *shared]), 3), 3)
    expected = own.mean() + own.std() / shared.std() * (past - shared.mean())
    np.testing.assert_allclose(extended.y[:3], expected, rtol=1e-12)


def test_only_shared_observed_values_set_the_level():
    filled = np.zeros(20, bool)
    filled[[3, 18]] = True
    donor = one("L", np.where(filled, 1e6, 10.0), filled=filled)
    new = NewSeries(one("N", [20.0, 7.0, 20.0], first=17), 3)
    extended, _ = with_past(new, Placed(donor, 17), 3)
    assert extended.y[:3].tolist() == [20.0, 20.0, 20.0]
    assert with_past(new, Placed(donor, 17), 20)[0].filled.nonzero()[0].tolist() == [3]


def test_known_features_are_borrowed_with_the_values():
    known = np.arange(20.0)[:, None]
    donor, new = one("L", np.ones(20), known=known), one("N", [1.0, 2.0], first=18, known=-known[18:])
    extended, _ = with_past(NewSeries(new, 2), Placed(donor, 18), 4)
    assert extended.known.ravel().tolist() == [14.0, 15.0, 16.0, 17.0, -18.0, -19.0]


def test_donors_cover_the_dates_before_and_are_other_series():
    new = NewSeries(one("N", np.arange(1.0, 9), first=52), 8)
    short, again = one("short", np.arange(30.0) + 1, first=30), one("N", np.arange(60.0))
    constant = one("constant", np.ones(60))
    pool = Pool([*longer(4), short, again, constant], SCALING, "D")
    assert sorted((donor.series.unique_id, donor.place) for donor in pool.donors(new)) == [
        (f"L{k}", 52) for k in range(4)
    ] + [("short", 22)]
    assert len(Pool(longer(30), SCALING, "D").donors(new)) == MOST_DONORS
    assert Pool(longer(2), SCALING, "D").donors(new) == []


def test_series_of_the_same_category_are_preferred():
    def static(category):
        return np.array([category == "a", category == "b", 7.5])

    parts = [(longer(4), "a"), (longer(3, 60), "b")]
    series = [
        Series(f"{name}{k}", each.ds, each.y, static=static(name) * (1.0 + 0.1 * k))
        for several, name in parts
        for k, each in enumerate(several)
    ]
    series = [Series(s.unique_id, s.ds, s.y, static=np.array([*(s.static[:2] > 0), s.static[2]])) for s in series]
    pool = Pool(series, SCALING, "D")

    def chosen(category):
        new = one("N", np.arange(1.0, 9), first=52, static=static(category))
        return {donor.series.unique_id for donor in pool.donors(NewSeries(new, 8))}

    assert chosen("b") == {"b0", "b1", "b2"}
    assert chosen("a") == {"a0", "a1", "a2", "a3"}
    assert len(chosen("c")) == 7  # no series of this category: all


@pytest.mark.parametrize("first", [37, 40, 43])
def test_after_the_end_of_the_longer_series_their_last_seasons_are_repeated(first):
    season = np.array([1.0, 2.0, 3.0, 4.0])
    pool = Pool([one(f"L{k}", np.tile(season, 10) * (k + 1)) for k in range(3)], SCALING, "D")
    new = NewSeries(one("N", np.resize(np.roll(season, -first), 6) * 5, first=first), 6)
    for extended, cut in pool.extended(new).series:
        np.testing.assert_allclose(extended.y, np.resize(np.roll(season, -(first + 6 - cut)), cut) * 5)
        assert extended.ds.equals(DS[first + 6 - cut : first + 6])


def test_series_of_other_dates_are_no_donors():
    late = Series("N", pd.date_range("2030-01-01", periods=8), np.arange(1.0, 9))
    noon = Series("N", pd.date_range("2024-02-20 12:00", periods=8), np.arange(1.0, 9))
    pool = Pool(longer(4), SCALING, "D")
    assert pool.donors(NewSeries(late, 8)) == []
    assert pool.donors(NewSeries(noon, 8)) == []


def test_a_noisier_series_than_its_donors_has_wider_intervals():
    generator = np.random.default_rng(0)
    season = np.tile([1.0, 2.0, 3.0, 4.0], 10)
    donors = [one(f"L{k}", 100 * season * (1 + 0.01 * generator.normal(size=40))) for k in range(4)]
    pool = Pool(donors, SCALING, "D")
    for noise, low, high in ((0.01, 1.0, 2.0), (0.1, 5.0, 15.0)):
        own = season[:12] * (1 + noise * generator.normal(size=12))
        assert low <= pool.extended(NewSeries(one("N", own, first=28), 12)).noise <= high


def test_a_series_with_a_pattern_of_its_own_borrows_nothing():
    season, generator = np.tile([1.0, 2.0, 3.0, 4.0], 10), np.random.default_rng(0)
    pool = Pool([one(f"L{k}", season + 0.1 * generator.normal(size=40)) for k in range(4)], SCALING, "D")
    own = np.tile([4.0, 1.0, 4.0, 1.0], 3) + 0.1 * generator.normal(size=12)
    assert pool.extended(NewSeries(one("N", own, first=28), 12)).series == []
    assert len(pool.extended(NewSeries(one("N", own[:8], first=28), 8)).series) == 4  # too short to tell
