"""One module for each step of the schema, named by its number."""

__all__: list[str] = []
