"""The benchmark beside busy processes: they end, and the table follows from the measured seconds."""

import subprocess
import sys

import pytest

from benchmarks import busy
from benchmarks.busy import ALONE, BEFORE, BUSY, SRC, Run, Version


def runs(seconds, digest="same"):
    """Runs of the given wall seconds; each uses twice as many CPU seconds."""
    return [Run(wall, 2 * wall, digest) for wall in seconds]


@pytest.fixture
def command(monkeypatch):
    """Replace the command of every task by Python code, which finds the folder for its files in sys.argv."""

    def replace(code):
        monkeypatch.setattr(busy, "command_of", lambda task, version, folder: ["-c", code, str(folder)])

    return replace


@pytest.fixture
def main(monkeypatch):
    """Run the program, with given results of every task."""

    def program(*arguments, digest=lambda version: "same"):
        monkeypatch.setattr("sys.argv", ["busy", *map(str, arguments)])
        monkeypatch.setattr(busy, "check_source", lambda version: None)
        monkeypatch.setattr(busy, "run", lambda task, version, name: Run(2.0, 3.0, digest(version)))
        busy.main()

    return program


def test_busy_processes_run_until_the_block_ends():
    with busy.busy_processes(2) as processes:
        assert [process.poll() for process in processes] == [None, None]
    assert None not in [process.returncode for process in processes]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_busy_processes_end_if_the_block_raises(error):
    with pytest.raises(error), busy.busy_processes(2) as processes:  # noqa: PT012  (the block must raise)
        started = processes
        raise error
    assert len(started) == 2
    assert None not in [process.returncode for process in started]


def test_busy_processes_end_if_one_cannot_start(monkeypatch):
    started, popen = [], busy.subprocess.Popen

    def start(*arguments, **options):
        if started:
            raise OSError("too many processes")
        started.append(popen(*arguments, **options))
        return started[0]

    monkeypatch.setattr(busy.subprocess, "Popen", start)
    with pytest.raises(OSError, match="too many processes"), busy.busy_processes(2):
        pass
    assert started[0].returncode is not None


def test_busy_processes_end_with_the_process_that_started_them():
    start = f"import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', {busy.LOOP!r}, str(os.getpid())])"
    # The loop inherits the pipe, so that `run` waits until the loop ends too.
    assert subprocess.run([sys.executable, "-c", start], stdout=subprocess.PIPE, timeout=60, check=True).stdout == b"\n"


def test_the_table_has_medians_and_their_ratio():
    fit = {("now, 1 job", ALONE): runs([9.0, 2.0, 1.0]), ("now, 1 job", BUSY): runs([3.0, 100.0, 5.0])}
    assert busy.table({"fit": fit}).splitlines() == [
        "| task | version | alone, s | busy, s | busy / alone | alone, CPU s | busy, CPU s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| fit | now, 1 job | 2.00 | 5.00 | 2.50 | 4.00 | 10.0 |",
    ]


def test_equal_results_of_this_tree_are_required():
    same = {("now, 1 job", ALONE): runs([1.0], "abc"), ("now, all jobs", ALONE): runs([1.0], "abc")}
    busy.check_results("fit", {(BEFORE, ALONE): runs([1.0], "older"), **same})
    with pytest.raises(SystemExit, match=r"results of fit differ; .*\nnow, 1 job, alone: abc\n(.*\n)+.*, busy: abd"):
        busy.check_results("fit", {**same, ("now, all jobs", BUSY): runs([1.0], "abd")})


def test_only_the_text_between_the_markers_is_replaced():
    page = "before\n<!-- busy -->\n\nold \\1\n\n<!-- /busy -->\nafter\n"
    assert busy.replaced(page, r"new \1") == "before\n<!-- busy -->\n\nnew \\1\n\n<!-- /busy -->\nafter\n"
    assert busy.replaced(busy.replaced(page, "new"), r"old \1") == page
    with pytest.raises(ValueError, match="the page has 0 parts between"):
        busy.replaced("a page without markers", "new")


def test_the_page_has_the_markers():
    assert "\n\n| task |\n\n" in busy.replaced(busy.PAGE.read_text(encoding="utf-8"), "| task |")


def test_a_failing_task_is_reported_with_its_standard_error(command):
    command("import sys; sys.exit('no such option: --jobs')")
    message = r"demo \(now, alone\) failed with exit status 1:\nno such option: --jobs"
    with pytest.raises(SystemExit, match=message):
        busy.run("demo", Version("now", SRC), "demo (now, alone)")


def test_the_results_of_a_task_are_the_files_that_it_writes(command):
    write = "import pathlib, sys; pathlib.Path(sys.argv[1], 'forecast.csv').write_text({!r})"
    digests = []
    for text in ("1", "2", "1"):
        command(write.format(text))
        digests.append(busy.run("demo", Version("now", SRC), "demo").digest)
    assert digests[0] == digests[2] != digests[1]


def test_cpu_seconds_include_ended_child_processes(command):
    work = "import time\nwhile time.process_time() < 0.3: pass"
    command(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])")
    assert busy.run("demo", Version("now", SRC), "demo").cpu >= 0.3


def test_every_run_uses_the_source_tree_and_the_default_threads(command, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    code = "import os; print(os.environ['PYTHONPATH'].split(os.pathsep)[0], 'OMP_NUM_THREADS' in os.environ)"
    assert busy.python(["-c", code], SRC, "environment") == f"{SRC} False\n"


def test_a_tree_without_the_library_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match=r"before: the library comes from .*, expected from "):
        busy.check_source(Version(BEFORE, tmp_path))


@pytest.mark.parametrize("task", busy.TASKS)
def test_only_one_job_needs_the_option(task, tmp_path):
    assert "--jobs" not in " ".join(busy.command_of(task, Version("now", SRC), tmp_path))
    if task in busy.WITH_JOBS:
        assert busy.command_of(task, Version("now, 1 job", SRC, 1), tmp_path)[-1] == "--jobs=1"


def test_a_call_inside_a_process_is_timed_and_its_result_compared(monkeypatch):
    monkeypatch.setattr(busy, "TRAINING", 20)
    monkeypatch.setattr(busy, "SEQUENCES", 10)
    monkeypatch.setattr(busy, "STEPS", 12)
    first, second = (busy.run_here("classify-predict", None) for _ in range(2))
    assert first.digest == second.digest
    assert first.wall > 0
    assert first.cpu >= 0


def test_the_conditions_take_turns(main, monkeypatch, capsys):
    monkeypatch.setattr(busy.machine, "cores", lambda: 1)
    main("--only", "fit", "classify-fit", "--repeats", 2, "--before", SRC)
    printed = capsys.readouterr()
    assert [line.split(":")[0] for line in printed.err.splitlines()][:12:6] == [
        "fit (now, all jobs, busy), 1/2",
        "fit (before, alone), 2/2",
    ]
    assert [line.split(" | ")[:2] for line in printed.out.splitlines()[2:]] == [
        ["| fit", "before"],
        ["| fit", "now, 1 job"],
        ["| fit", "now, all jobs"],
        ["| classify-fit", "before"],
        ["| classify-fit", "now"],
    ]


def test_the_table_is_written_into_the_page(main, tmp_path, monkeypatch, capsys):
    page = tmp_path / "performance.md"
    page.write_text("<!-- busy -->\n\n<!-- /busy -->\n")
    monkeypatch.setattr(busy, "PAGE", page)
    monkeypatch.setattr(busy.machine, "cores", lambda: 1)
    main("--only", "classify-fit", "--repeats", 1, "--write")
    assert "\n| classify-fit | now | 2.00 | 2.00 | 1.00 | 3.00 | 3.00 |\n\n<!-- /busy -->" in page.read_text()
    assert capsys.readouterr().out == ""


def test_different_results_print_no_table(main, monkeypatch, capsys):
    monkeypatch.setattr(busy.machine, "cores", lambda: 1)
    with pytest.raises(SystemExit, match="the results of demo differ"):
        main("--only", "demo", "--repeats", 1, digest=lambda version: str(version.jobs))
    assert capsys.readouterr().out == ""
