"""The same bot on the stock SDK, on its successor and on this template, measured side by side."""
