"""The comparison of bits: equal code gives equal digests, with and without saved models, and a change is reported."""

import json

import pytest

import gatewise as gw
from benchmarks import bits


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command on one small forecaster and return its output."""
    settings = [bits.forecaster("trend, small", bits.forecasts(3), gw.datasets.trend(60), strategy="one-step")]
    monkeypatch.setattr(bits, "forecasters", lambda: settings)
    monkeypatch.setattr(bits, "classifiers", list)
    monkeypatch.setattr(bits.torch, "set_num_threads", lambda threads: None)

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["bits", *map(str, arguments)])
        bits.main()
        return capsys.readouterr().out

    return command


def test_compare_without_models_has_one_entry_for_each_setting(run, tmp_path):
    assert "| trend, small | 14 columns |" in run("write", tmp_path / "before.json")
    assert "| trend, small | equal, 14 columns | " in run("compare", tmp_path / "before.json")
    assert [file.name for file in tmp_path.iterdir()] == ["before.json"]


def test_compare_with_models_has_a_second_entry_for_the_loaded_model(run, tmp_path):
    run("write", tmp_path / "before.json", "--models", tmp_path / "models")
    assert (tmp_path / "models" / "trend_small.safetensors").is_file()
    output = run("compare", tmp_path / "before.json", "--models", tmp_path / "models")
    assert "| trend, small | equal, 14 columns | equal, 14 columns | " in output


def test_a_different_digest_is_named_and_an_error(run, tmp_path, capsys):
    file = tmp_path / "before.json"
    run("write", file)
    before = json.loads(file.read_text())
    before["settings"]["trend, small"]["fitted LSTM"] = "another digest"
    file.write_text(json.dumps(before))
    with pytest.raises(SystemExit, match="the bits differ"):
        run("compare", file)
    assert "| trend, small | DIFFERS: fitted LSTM | " in capsys.readouterr().out


def test_digests_of_another_machine_are_not_compared(run, tmp_path):
    file = tmp_path / "before.json"
    run("write", file)
    before = json.loads(file.read_text())
    before["conditions"]["torch"] = "0.1"
    file.write_text(json.dumps(before))
    with pytest.raises(SystemExit, match=r"not comparable: written under .*'torch': '0\.1'"):
        run("compare", file)
