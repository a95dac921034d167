"""`.ts` files with a time for each step."""

import pytest

from gatewise.datasets import FileError, read_ts

HEAD = "@problemName Times\n@timeStamps true\n@classLabel true a b\n@data\n"


@pytest.mark.parametrize(
    "rows",
    [
        "(0,1.5),(1,2.0),(2,3.5):a\n(0,4),(1,5),(2,6):b\n",
        "(10,1.5), (11,2.0), (12,3.5) :a\n(0,4),(1,5),(2,6):b\n",
        "(0.0,1.5),(0.1,2.0),(0.2,3.5):a\n(0.1,4),(0.2,5),(0.3,6):b\n",
        "(2020-01-01 00:00:00,1.5),(2020-01-01 00:00:01,2.0),(2020-01-01 00:00:02,3.5):a\n"
        "(2021-01-01 10:00:00,4),(2021-01-01 10:00:01,5),(2021-01-01 10:00:02,6):b\n",
        "(2020-01-31,1.5),(2020-02-01,2.0),(2020-02-02,3.5):a\n(2020-03-01,4),(2020-03-02,5),(2020-03-03,6):b\n",
        "(10:00,1.5),(10:05,2.0),(10:10,3.5):a\n(10:00,4),(10:05,5),(10:10,6):b\n",
        "(2020-01-01T00:00,1.5),(2020-01-01T06:00,2),(2020-01-01T12:00,3.5):a\n"
        "(2020-01-01T00:00,4),(2020-01-01T06:00,5),(2020-01-01T12:00,6):b\n",
        "(31.01.2020 10:00,1.5),(31.01.2020 11:00,2.0),(31.01.2020 12:00,3.5):a\n"
        "(30.01.2020 10:00,4),(30.01.2020 11:00,5),(30.01.2020 12:00,6):b\n",
    ],
)
def test_regular_times_are_read(write, rows):
    result = read_ts(write(HEAD + rows))
    assert result.x[..., 0].tolist() == [[1.5, 2, 3.5], [4, 5, 6]]
    assert result.y.tolist() == ["a", "b"]


def test_several_channels_and_lengths_are_read(write):
    result = read_ts(write(HEAD + "(0,1),(1,2):(0,3),(1,4):a\n(5,6):(5,7):b\n"))
    assert [sequence.tolist() for sequence in result.x] == [[[1, 3], [2, 4]], [[6, 7]]]
    assert read_ts(write(HEAD + "(0,1),(1,?),(2,5):a\n"), fill="interpolate").x[..., 0].tolist() == [[1, 3, 5]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("(0,1),(1,2):a\n(0,1),(1,2),(3,3):b\n", "line 6: the times are not regular, as from 1 to 3; resample"),
        ("(0,1),(1,2),(1,3):a\n", "line 5: the times are not regular, as from 1 to 1"),
        ("(2,1),(1,2),(0,3):a\n", "line 5: the times are not regular"),
        ("(0,1),(1,2):a\n(0,1),(2,2):b\n", "line 6: the times go on in steps of 2, those of line 5 in steps of 1"),
        ("(0,1),(1,2):(0,1),(2,2):a\n", "line 5: the channels have different times"),
        ("(0,1),(1,2):(0,1):a\n", "line 5: the channels have different times"),
        ("(x,1),(y,2):a\n", "line 5: times such as x, y, expected numbers or dates"),
        ("(1/2/2020,1),(2/2/2020,2):a\n", "line 5: times such as 1/2/2020"),
        ("(0,1),(1,two):a\n", r"line 5: '\(1,two\)', expected pairs of a time and a number"),
        ("1,2,3:a\n", "line 5: '1,2,3', expected pairs"),
        (":a\n", "line 5 has a channel without steps"),
        ("(0,1),(1,?),(2,3):a\n", "line 5, step 2 of 3: no value"),
        ("(0,1),(1,2)\n", "line 5 has no label after a colon"),
    ],
)
def test_other_times_are_refused_with_the_line(write, rows, message):
    with pytest.raises(FileError, match=message):
        read_ts(write(HEAD + rows))
