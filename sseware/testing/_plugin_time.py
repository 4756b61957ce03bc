"""The part of the pytest plugin that gives virtual time to the plugin which runs a test."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import pytest

__all__ = ["pytest_fixture_setup", "pytest_generate_tests", "pytest_pyfunc_call"]

_VIRTUAL: Final = pytest.StashKey[tuple[str, dict[str, Any]]]()


def _wants_virtual_time(item: Any) -> bool:
    return "sse_clock" in getattr(item, "fixturenames", ())


def _virtual(item: pytest.Item, backend: Any) -> tuple[str, dict[str, Any]]:
    """Returns an ``anyio_backend`` with virtual time in place of another one; for each test its own."""
    from ._virtual_clock import VirtualClock

    if _VIRTUAL not in item.stash:
        given: Any = (backend, {}) if isinstance(backend, str) else backend
        item.stash[_VIRTUAL] = VirtualClock().backend(*given)
    return item.stash[_VIRTUAL]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Gives anyio's plugin virtual time for a test that asks for ``sse_clock``."""
    backend = pyfuncitem.funcargs.get("anyio_backend")
    if backend is not None and _wants_virtual_time(pyfuncitem):
        pyfuncitem.funcargs["anyio_backend"] = _virtual(pyfuncitem, backend)
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """Gives it also to the async fixtures of such a test, which run before it, in the same event loop."""
    item, given = request.node, fixturedef.func
    # anyio's plugin has put a function of its own in the place of an async one.
    is_async = (
        getattr(given, "__module__", None) == "anyio.pytest_plugin" and "anyio_backend" in fixturedef.argnames
    )
    if not (is_async and fixturedef.scope == "function" and _wants_virtual_time(item)):
        return (yield)

    def in_virtual_time(anyio_backend: Any, **kwargs: Any) -> Any:
        yield from given(anyio_backend=_virtual(item, anyio_backend), **kwargs)

    fixturedef.func = in_virtual_time
    try:
        return (yield)
    finally:
        fixturedef.func = given


class _LoopFactory:
    """Is registered while the tests of one function are made, if they want virtual time.

    pytest-asyncio asks for loop factories for all tests or none: registered for good, it would change the others.
    """

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_asyncio_loop_factories(self, config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
        from ._clock import VirtualTimeLoop

        return {"sse_clock": VirtualTimeLoop}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, object, object]:
    """Gives pytest-asyncio virtual time for a test that asks for ``sse_clock``."""
    marker = metafunc.definition.get_closest_marker("asyncio")
    chosen = marker is not None and "loop_factories" in marker.kwargs
    offered = hasattr(metafunc.config.hook, "pytest_asyncio_loop_factories")
    if chosen or not offered or "sse_clock" not in metafunc.fixturenames:
        return (yield)
    manager = metafunc.config.pluginmanager
    registered = _LoopFactory()
    manager.register(registered)
    try:
        return (yield)
    finally:
        manager.unregister(registered)
