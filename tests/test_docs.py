"""What the pages of docs/ show as a session does as they say."""

import doctest
from pathlib import Path

import pytest

PAGES = sorted(path.name for path in (Path(__file__).parent.parent / "docs").glob("*.md") if ">>> " in path.read_text())


@pytest.mark.parametrize("page", PAGES)
def test_sessions_in_the_docs_do_as_they_say(page):
    found = doctest.testfile(f"../docs/{page}", optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0
    assert found.failed == 0
