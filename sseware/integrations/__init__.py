"""Frameworks, one module each: a thin shell over the same driver, with the framework's own types.

- `sseware.integrations.starlette`: `Response`'s interface, background tasks;
- `sseware.integrations.fastapi`: the same, shown in OpenAPI;
- `sseware.integrations.litestar`, `sseware.integrations.quart`, `sseware.integrations.django`,
  `sseware.integrations.falcon`;
- `sseware.integrations.asgi`: no framework;
- `sseware.integrations.uvicorn`, `sseware.integrations.hypercorn`: servers, where no signal tells that they stop.

None is imported by the front door, and none has to be: ``from sseware import streaming, EventStream`` finds the
one that an application needs. ``docs/frameworks.md`` shows each.
"""

__all__: list[str] = []
