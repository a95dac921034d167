"""Files of the UCR and UEA archives in the format of Weka."""

import numpy as np
import pytest

from gatewise.datasets import FileError, read_arff, read_parts, read_ts

HEAD = (
    "% steps\n@RELATION 'Steps'\n\n@Attribute t1 NUMERIC\n@attribute 't 2' real\n"
    "@attribute target {walk, 'run fast'}\n\n@DATA\n"
)
STEPS = "".join(f"@attribute t{k} numeric\n" for k in (1, 2, 3))
RELATION = f"@relation m\n@attribute m relational\n{STEPS}@end m\n"
MOTIONS = RELATION + "@attribute class {walk,run}\n@data\n"


@pytest.mark.parametrize(
    "content",
    [
        HEAD + "1,2,walk\n% between\n3,4,'run fast'\n",
        HEAD + ' 1 , 2 , walk \n\n 3,4.0, "run fast"\n',
        (HEAD + "1,2,walk\n3,4,'run fast'").replace("\n", "\r\n"),
        "\ufeff" + HEAD + "1,2,'walk'\n3,4,'run fast'\n",
        HEAD.replace("{walk, 'run fast'}", "string") + "1,2,walk\n3,4,'run fast'\n",
        HEAD.replace("@attribute target {walk, 'run fast'}\n", "").replace(
            "@Attribute t1", "@attribute c {walk,'run fast'}\n@Attribute t1"
        )
        + "walk,1,2\n'run fast',3,4\n",
    ],
)
def test_series_of_one_channel_are_read(content, write):
    result = read_arff(write(content.encode()))
    assert result.x.tolist() == [[[1], [2]], [[3], [4]]]
    assert result.y.tolist() == ["walk", "run fast"]


@pytest.mark.parametrize("quote", ["'", '"'])
def test_series_of_several_channels_are_read(write, quote):
    rows = f"{quote}1,2,3\\n4,5,6{quote},walk\n{quote}7,8,9\\n0,1,2{quote},run\n"
    result = read_arff(write(MOTIONS + rows))
    assert result.x.tolist() == [[[1, 4], [2, 5], [3, 6]], [[7, 0], [8, 1], [9, 2]]]
    assert result.y.tolist() == ["walk", "run"]
    shorter = read_arff(write(MOTIONS + rows.replace("9", "?").replace(",2'", ",?'").replace(',2"', ',?"')))
    assert [sequence.tolist() for sequence in shorter.x][1] == [[7, 0], [8, 1]]


def test_both_formats_of_a_data_set_are_equal(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(6, 2, 4)).round(3), list("abaabb")
    ts = "".join(":".join(",".join(map(str, c)) for c in s) + f":{label}\n" for s, label in zip(x, y, strict=True))
    arff = "".join(
        "'" + "\\n".join(",".join(map(str, c)) for c in s) + f"',{label}\n" for s, label in zip(x, y, strict=True)
    )
    names = "".join(f"@attribute t{k} numeric\n" for k in range(4))
    head = f"@relation r\n@attribute r relational\n{names}@end r\n@attribute class {{a,b}}\n@data\n"
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"M_{part}.arff").write_text(head + arff)
    (tmp_path / "other.ts").write_text("@classLabel true a b\n@data\n" + ts)
    train, test = read_parts(tmp_path)
    expected = read_ts(tmp_path / "other.ts")
    for result in (train, test):
        np.testing.assert_array_equal(result.x, expected.x)
        assert result.y.tolist() == expected.y.tolist()


def test_numbers_as_labels_and_none(write):
    assert read_arff(write(HEAD.replace("{walk, 'run fast'}", "numeric") + "1,2,1\n3,4,2\n")).y.tolist() == ["1", "2"]
    result = read_arff(write("@attribute a numeric\n@attribute b numeric\n@data\n1,2\n3,4\n"))
    assert (result.x[..., 0].tolist(), result.y) == ([[1, 2], [3, 4]], None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not an .arff file"),
        ("1,2\n", "is not an .arff file"),
        ("@data\n1,2\n", "is not an .arff file"),
        (b"\xff\xfe\x00\x80", "is not text in UTF-8"),
        (HEAD, "holds no sequences after @data"),
        (HEAD + "1,walk\n", "line 9 has 2 values, expected 3"),
        (HEAD + "1,2,3,walk\n", "line 9 has 4 values, expected 3"),
        (HEAD + "1,x,walk\n", "line 9: could not convert string to float: 'x'"),
        (HEAD + "1,2,sit\n", "line 9: label 'sit' is not among those of attribute target: walk, run fast"),
        (HEAD + "1,2,?\n", r"line 9 has no label \(attribute target\)"),
        (HEAD + "{0 1, 2 walk}\n", "line 9 is sparse"),
        (HEAD + "1,2,wal'k\n", "line 9 has a quote within a value"),
        (HEAD + "1_0,2,walk\n", "line 9: an underscore in a number"),
        (HEAD + "1,inf,walk\n", "line 9, step 2 of 2: inf, expected an absolute value"),
        (MOTIONS + "'1,2\\n3,4,5',walk\n", "line 9 has channels of 2, 3 steps"),
        (MOTIONS + "'1,2\\n3,4',walk\n'1,2',run\n", "sequences have 1, 2 channels"),
        (HEAD.replace("real", "{u,v}") + "1,u,walk\n", "has attributes t 2, target that are no numbers"),
        (RELATION + "@attribute b real\n@data\n'1,2,3',4\n", "has further attributes beside the relational one"),
        ("@relation r\n@attribute\n@data\n", "line 2: expected '@attribute NAME TYPE'"),
    ],
)
def test_invalid_files_are_refused_with_the_line(content, message, write):
    with pytest.raises(FileError, match=message):
        read_arff(write(content))
