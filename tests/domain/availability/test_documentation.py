"""The examples of docs/engine.md hold, and print what the page says."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "engine.md"


def test_the_examples_in_the_documentation_hold_and_print_what_the_page_shows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    [shown] = re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ran = subprocess.run(
        [sys.executable, "-c", example], cwd=PAGE.parents[1], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ran.stdout, ran.stderr) == (shown, "")
