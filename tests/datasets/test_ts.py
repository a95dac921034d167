"""Files of the UCR and UEA archives."""

import numpy as np
import pytest

from gatewise.datasets import FileError, read_ts

HEAD = "# steps\n@problemName Steps\n@timeStamps false\n@univariate false\n@CLASSLABEL true walking Running\n@data\n"


def test_ts_files_are_read(write):
    result = read_ts(write(HEAD + "1.5,2.0,?:0.1,0.2,0.3:walking\n\n4,5,6: 7, 8, 9:Running\n", "steps.ts"), fill="none")
    np.testing.assert_array_equal(result.x, [[[1.5, 0.1], [2, 0.2], [np.nan, 0.3]], [[4, 7], [5, 8], [6, 9]]])
    assert (result.y.tolist(), result.name) == (["walking", "Running"], "Steps")
    ragged = read_ts(write(HEAD + "1,2:walking\n3:Running\n"))
    assert [sequence.tolist() for sequence in ragged.x] == [[[1], [2]], [[3]]]
    bare = read_ts(write("@classLabel false\n@data\n1,2\n3,4\n", "bare.ts"))
    assert (bare.x.shape, bare.y, bare.name) == ((2, 2, 1), None, "bare")
    targets = read_ts(write("@targetLabel true\n@data\n1,2:0.5\n3,4:-1\n"))
    assert targets.y.tolist() == [0.5, -1]


@pytest.mark.parametrize(
    "content",
    [
        HEAD.replace("\n", "\r\n") + "1,2:walking\r\n\r\n3,4:Running\r\n",
        "\ufeff" + HEAD + "1,2:walking\n3,4:Running",
        HEAD.replace(" ", "\t") + "1,2:walking\n3,4:Running\n",
        HEAD.replace("@", "  @") + "  1 , 2 : walking\n  # between\n3,4: Running \n",
        HEAD.upper().replace("WALKING RUNNING", "") + "1,2:walking\n3,4:Running\n",
    ],
)
def test_ts_files_of_any_layout_are_read(content, write):
    result = read_ts(write(content.encode()))
    np.testing.assert_array_equal(result.x, [[[1], [2]], [[3], [4]]])
    assert result.y.tolist() == ["walking", "Running"]
    assert result.name.upper() == "STEPS"


def test_labels_of_several_words_are_compared_as_a_whole(write):
    head = "@classLabel true big cat small dog\n@data\n"
    assert read_ts(write(head + "1:big cat\n2:small dog\n")).y.tolist() == ["big cat", "small dog"]
    with pytest.raises(
        FileError, match="line 4: label 'big dog' is not among those of @classLabel: big, cat, small, dog"
    ):
        read_ts(write(head + "1:big cat\n2:big dog\n"))


def test_control_characters_in_names_are_escaped(write):
    assert read_ts(write("@problemName \x1b[2Jx\n@data\n1,2\n")).name == "'\\x1b[2Jx'"


def test_labels_that_need_too_much_memory_are_refused(write):
    """Numpy allocates the size of the longest label for each: here 80 GB."""
    with pytest.raises(
        FileError,
        match=r"where each label takes as much memory as the longest one, declares .* 20001, 1000000, 74\.5 GiB",
    ):
        read_ts(write("@classLabel true\n@data\n1:" + "L" * 10**6 + "\n" + "1:a\n" * 20000))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not a .ts file"),
        ("1,2,3\n", "is not a .ts file"),
        (b"\xff\xfe\x00\x80", "is not text in UTF-8"),
        (HEAD, "no sequences after @data"),
        (HEAD + "1,2\n", "line 7 has no label"),
        (HEAD + "1,2:3,x:walking\n", "line 7: could not convert string to float: 'x'"),
        (HEAD + "1,2:3:walking\n", "line 7 has channels of 2, 1 steps"),
        (HEAD + "1,2:walking\n1,2:3,4:walking\n", "have 1, 2 channels"),
        (HEAD + "1,2:flying\n", "line 7: label 'flying' is not among those of @classLabel: walking, Running"),
        ("@classLabel true " + "a " * 10**5 + "\n@data\n1:b\n", "@classLabel: (a, ){66}a…$"),
        ("@classLabel true \x1b[2Ja\n@data\n1:b\n", r"@classLabel: '.x1b\[2Ja'$"),
        (HEAD + ":".join(["1", "1,2"] * 1000) + ":walking\n", "channels of (1, 2, ){33}1…? steps"),
        (HEAD + "1,2:\n", "line 7 has no label"),
        ("@classLabel true\n@data\n1,2: \n", "line 3 has no label"),
        (HEAD + "1_0,2:walking\n", "line 7: an underscore in a number"),
        (HEAD + "1,,2:walking\n", "line 7: could not convert string to float: ''"),
        (HEAD + "(0,1),(1,2):walking\n", r"line 7: could not convert string to float: '\(0'"),
        ("@timestamps true\n@data\n(0,1):a\n", "line 3: 'a', expected pairs of a time and a number"),
        ("@targetlabel true\n@data\n1:a\n", "expected numbers as labels"),
    ],
)
def test_invalid_ts_files_are_refused_with_the_line(content, message, write):
    with pytest.raises(FileError, match=message):
        read_ts(write(content))


@pytest.mark.parametrize(
    ("head", "rows", "message"),
    [
        ("@equalLength true", "1,2,3:a\n1,2,3:b\n\n1,2:a", "line 8 has 2 steps, expected 3, as @equalLength is true"),
        ("@EQUALLENGTH TRUE", "1,2:3,4:a\n1,2,3:4,5,6:b", "line 6 has 3 steps, expected 2"),
        ("@univariate true", "1,2:a\n1,2:3,4:b", "line 6 has 2 channels, expected one, as @univariate is true"),
        ("@univariate true", "1,2:3,4:a\n1,2:3,4:b", "line 5 has 2 channels"),
        ("@equalLength false", "1,2,3:a\n1,2:b", None),
        ("@equalLength true", "1,2,3:a\n1,2,?:b", None),
        ("@univariate false", "1,2:a\n3,4:b", None),
    ],
)
def test_sequences_that_contradict_the_header_are_refused(write, head, rows, message):
    path = write(f"@problemName p\n{head}\n@classLabel true a b\n@data\n{rows}\n", "a.ts")
    if message is None:
        assert len(read_ts(path)) == 2
        return
    with pytest.raises(FileError, match=message):
        read_ts(path)
