"""The dialects that come with sseware, each written as a stranger would write one: with public names only."""

__all__: list[str] = []
