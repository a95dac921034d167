"""Names of columns that end in numbers: order, channels, and columns of other names, in files."""

import numpy as np
import pandas as pd
import pytest

from gatewise.datasets import FileError, read_arff, read_rows
from gatewise.datasets.numbered import channels, in_order, strangers
from tests.datasets.remedies import follow

N, T = 60, 12
GENERATOR = np.random.default_rng(0)
X = np.cumsum(GENERATOR.normal(size=(N, T)), 1).round(3)
COUNTS = (10 * X).round().astype(int)
Y = GENERATOR.permutation(np.repeat(["walk", "run", "sit"], N // 3))
FORMS = [{}, {"sep": "\t"}, {"sep": ";", "decimal": ","}]


def table(form="t{}", x=X):
    return pd.DataFrame(x, columns=[form.format(k) for k in range(x.shape[1])])


@pytest.mark.parametrize("form", ["t{}", "T{}", "step {}", "x_{}", "m{:02}", "{}ms", "V{}", "acc1_{}", "t-{}"])
@pytest.mark.parametrize("order", ["as text", "shuffled", "falling"])
def test_steps_are_read_in_the_order_of_their_numbers(tmp_path, form, order):
    frame = table(form)
    names = {"as text": sorted(frame), "shuffled": list(GENERATOR.permutation(list(frame))), "falling": [*frame][::-1]}
    mixed = frame[names[order]].assign(label=Y)
    for k, options in enumerate(FORMS):
        mixed.to_csv(tmp_path / f"{k}.csv", index=False, **options)
        result = read_rows(tmp_path / f"{k}.csv")
        expected = X[:, ::-1] if (form, order) == ("t-{}", "falling") else X  # t-11 is before t-10
        np.testing.assert_array_equal(result.x[..., 0], expected)
        moved = list(mixed)[:-1] != list(result.columns)
        assert ("read in the order of their numbers" in "".join(result.notes)) == moved


@pytest.mark.parametrize(
    "names",
    [
        ["jan", "feb", "mar", "apr"],
        ["lag3", "lag2", "lag1", "lag0"],
        ["t-3", "t-2", "t-1", "t-0"],
        ["400", "300", "200", "100"],
        ["v1.9", "v1.10", "v1.11", "v2.0"],
        ["1x1", "1x2", "2x1", "2x2"],
        ["2020-11", "2020-12", "2021-01", "2021-02"],
        ["F7", "F3", "T7", "P8"],
        ["t1", "t1", "t0", "t2"],
    ],
    ids=str,
)
def test_names_without_one_order_are_left_as_they_are(names):
    assert in_order(names) == names


@pytest.mark.parametrize("first", ["x_{}", "acc x {}", "X{}", "x.{}"])
def test_numbers_that_begin_anew_are_channels(tmp_path, first):
    second = first.lower().replace("x", "z")
    wide = pd.concat([table(first), table(second, 2 * X)], axis=1)
    mixed = wide[[name for k in range(T) for name in (first.format(k), second.format(k))]]
    for frame in (wide, mixed, wide[sorted(wide)]):
        frame.assign(label=Y).to_csv(tmp_path / "a.csv", index=False)
        result = read_rows(tmp_path / "a.csv")
        np.testing.assert_allclose(result.x, np.stack([X, 2 * X], 2), rtol=1e-12)
        assert "read as 2 channels of 12 steps; layout='rows' (--layout rows) reads 24 steps" in result.notes[0]
        assert len(result.columns) == 2
    wide.assign(label=Y).to_csv(tmp_path / "a.csv", index=False)
    rows = read_rows(tmp_path / "a.csv", layout="rows")
    np.testing.assert_allclose(rows.x[..., 0], wide.to_numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "names",
    [["x1", "x2", "x3", "x4", "z1", "z2", "z3"], [f"{a}x{b}" for a in range(4) for b in range(4)], ["a1", "b1"]],
)
def test_other_names_are_no_channels(names):
    assert channels(names) == []


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("score", GENERATOR.uniform(0, 1, N).round(3)),
        ("mean", COUNTS.mean(1).round(3)),
        ("total", COUNTS.sum(1)),
        ("latitude", GENERATOR.uniform(40, 50, N).round(4)),
        ("age", GENERATOR.integers(20, 80, N)),
        ("median", np.median(COUNTS, 1).astype(int)),
        ("last", COUNTS[:, -1] + GENERATOR.integers(-1, 2, N)),
        ("pm25", COUNTS[:, 0] + GENERATOR.integers(-1, 2, N)),
    ],
)
@pytest.mark.parametrize("form", ["m{}", "{}", "step_{}"])
def test_a_column_of_another_name_is_refused_and_left_out_or_kept(tmp_path, form, name, column):
    steps = table(form, COUNTS)
    for frame in (steps.assign(**{name: column}), pd.concat([pd.Series(column, name=name), steps], axis=1)):
        for k, options in enumerate(FORMS):
            frame.assign(label=Y).to_csv(tmp_path / f"{k}.csv", index=False, **options)
        for k in range(len(FORMS)):
            left = follow(tmp_path / f"{k}.csv", message=f"column '{name}' is no step of a sequence")
            np.testing.assert_array_equal(left.x[..., 0], COUNTS)
        kept = follow(tmp_path / "0.csv", choice=1)
        np.testing.assert_array_equal(kept.x[..., 0], frame.to_numpy())


def test_names_of_several_forms_are_steps():
    assert strangers(["baseline", "week1", "week2", "week3", "week4"]) == {}
    assert strangers(["t", "t.1", "t.2", "t.3", "t.4"]) == {}
    assert strangers(["mean", "std", "fft1", "fft2", "fft3"]) == {}
    assert strangers([f"{name}_{k}" for name in "xyz" for k in range(9)]) == {}
    assert list(strangers([*(f"{name}_{k}" for name in "xyz" for k in range(9)), "age"])) == ["age"]


def arff(write, names):
    head = "".join(f"@attribute {name} numeric\n" for name in names)
    rows = "".join(",".join(str(k + row) for k in range(len(names))) + ",a\n" for row in range(3))
    return write(f"@relation r\n{head}@attribute class {{a,b}}\n@data\n{rows}", "a.arff")


@pytest.mark.parametrize("name", ["age", "score", "mean"])
def test_attributes_that_are_no_steps_are_refused(write, name):
    steps = [f"t{k}" for k in range(1, 11)]
    for names in ([*steps, name], [name, *steps]):
        with pytest.raises(FileError, match=f"attribute '{name}' is no step of a sequence: .* t1 to t10; remove it"):
            read_arff(arff(write, names))
    assert read_arff(arff(write, steps)).columns == tuple(steps)
    with pytest.raises(FileError, match=r"numbers are not in order; write the steps in order, t1 to t10"):
        read_arff(arff(write, steps[::-1]))
