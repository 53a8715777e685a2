"""The same bot on the stock SDK and here: what is said to both, and what comes of it."""
