"""The bot that the README shows, as it stands there."""

import re
from pathlib import Path

_README = Path(__file__).parents[2] / "README.md"

[SOURCE] = re.findall(r"```python\n(.*?)```", _README.read_text(encoding="utf-8"), re.DOTALL)

exec(compile(SOURCE, str(_README), "exec"))
