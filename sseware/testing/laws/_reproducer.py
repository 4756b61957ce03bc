"""The smallest example that breaks a law, as a test that can be pasted."""

from __future__ import annotations

import re
from typing import Any, Final

from ._law import Law

__all__ = ["reproducer"]

_WIDTH: Final = 100


def reproducer(law: Law, example: Any, name: str, path: str = "/") -> str:
    """Returns a pytest function that breaks a law with one example.

    Args:
        law: The law.
        example: The example; none, where the law has no examples.
        name: Where the target is found, as ``module:attribute``; for a dialect its name.
        path: The path at which an application is asked.
    """
    imports, target = _target(law.kind, name, path)
    if "Text(" in (shown := repr(example)) or law.kind == "dialect":
        imports = [*imports, "from sseware.items import *"]
    arguments = [repr(law.id), target, *([shown] if example is not None else [])]
    call = f"    laws.check({', '.join(arguments)})"
    if len(call) > _WIDTH:
        call = "\n".join(["    laws.check(", *(f"        {each}," for each in arguments), "    )"])
    function = re.sub(r"\W", "_", law.id)
    head = [*imports, "from sseware.testing import laws", "", "", f"def test_{function}() -> None:"]
    return "\n".join([*head, f"    # {law.level}, {law.reference}: {law.rule}", call, ""])


def _target(kind: str, name: str, path: str) -> tuple[list[str], str]:
    if kind == "url":
        return [], repr(name)
    module, _, attribute = name.partition(":")
    if not attribute:
        return [], repr(name)
    first, *more = attribute.split(".")
    imports = [f"from {module} import {first}"]
    target = ".".join([first, *more])
    return imports, f"laws.AppTarget({target}, {path!r})" if kind == "app" else target
