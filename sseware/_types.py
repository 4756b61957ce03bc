"""The ASGI vocabulary, with the permissive aliases that every framework's own types fit.

``asgiref.typing`` describes each message exactly; Starlette describes them as mutable mappings of anything.
Neither accepts a callable of the other, so at this edge, and here only, messages are ``Any``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Scope: TypeAlias = Any
Message: TypeAlias = Any
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
"""Header fields as ASGI has them: names in lower case."""
