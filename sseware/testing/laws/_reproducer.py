"""The smallest example that breaks a law, as a test that can be pasted."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any, Final

from ._law import Law

__all__ = ["reproducer"]

_WIDTH: Final = 100


def reproducer(law: Law, example: Any, name: str, options: Mapping[str, Any] | None = None) -> str:
    """Returns a pytest function that breaks a law with one example.

    Args:
        law: The law.
        example: The example; none, where the law has no examples.
        name: Where the target is found, as ``module:attribute``; the name of a dialect, or a URL.
        options: How it is asked: the arguments of `AppTarget` or `UrlTarget` that are not the usual ones.
    """
    imports, target = _target(law.kind, name, options or {})
    if law.kind == "dialect":
        imports = [*imports, "from sseware import ServerSentEvent", "from sseware.items import *"]
    arguments = [repr(law.id), target, *([repr(example)] if example is not None else [])]
    call = f"    laws.check({', '.join(arguments)})"
    if len(call) > _WIDTH:
        call = "\n".join(["    laws.check(", *(f"        {each}," for each in arguments), "    )"])
    about = textwrap.wrap(f"{law.level}, {law.reference}: {law.rule}", _WIDTH - 6, break_on_hyphens=False)
    head = [*imports, "from sseware.testing import laws", "", ""]
    head += [f"def test_{re.sub(r'[^a-z0-9]', '_', law.id)}() -> None:", *(f"    # {line}" for line in about)]
    return "\n".join([*head, call, ""])


def _target(kind: str, name: str, options: Mapping[str, Any]) -> tuple[list[str], str]:
    given = "".join(f", {option}={value!r}" for option, value in options.items())
    if kind == "url":
        return [], f"laws.UrlTarget({name!r}{given})"
    module, _, attribute = name.partition(":")
    if not attribute:
        return [], repr(name)
    imports = [f"from {module} import {attribute.partition('.')[0]}"]
    return imports, f"laws.AppTarget(app={attribute}{given})" if kind == "app" else attribute
