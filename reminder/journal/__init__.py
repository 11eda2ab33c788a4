"""The journal: every decision answered, every word about it, in the order it came, so that a stranger can check it."""
