"""A file becomes an answer whose header fields cannot be forged."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.dialects import file_answer
from sseware.errors import InvalidItem
from sseware.items import File


def disposition(name: str) -> str:
    return dict(file_answer(File(b"", name=name)).headers)["content-disposition"]


def test_a_file_is_its_bytes_its_type_and_its_name() -> None:
    answer = file_answer(File(b"\x89PNG", "a b.png", "image/png", "attachment"))
    assert (answer.status, answer.body) == (200, b"\x89PNG")
    assert answer.headers == (
        ("content-type", "image/png"),
        ("content-disposition", 'attachment; filename="a b.png"'),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("output", 'inline; filename="output"', id="plain"),
        pytest.param("", 'inline; filename="output"', id="empty"),
        pytest.param('a"b', "inline; filename=\"a_b\"; filename*=UTF-8''a%22b", id="a-quote"),
        pytest.param(
            "a\r\nx: y", "inline; filename=\"a__x: y\"; filename*=UTF-8''a%0D%0Ax%3A%20y", id="a-line-end"
        ),
        pytest.param("../etc", "inline; filename=\".._etc\"; filename*=UTF-8''..%2Fetc", id="a-path"),
        pytest.param(
            "50%.txt", "inline; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt", id="a-percent-sign"
        ),
        pytest.param(
            "✓.txt", "inline; filename=\"_.txt\"; filename*=UTF-8''%E2%9C%93.txt", id="beyond-ascii"
        ),
        pytest.param("\ud800", "inline; filename=\"_\"; filename*=UTF-8''%3F", id="a-lone-surrogate"),
    ],
)
def test_a_name_is_quoted(name: str, expected: str) -> None:
    assert disposition(name) == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_name_leaves_its_quotes_and_every_name_can_be_read_back(name: str) -> None:
    value = disposition(name)
    assert value.isascii()
    assert value.isprintable()
    assert value.count('"') == 2
    plain = value.split('"')[1]
    assert (unquote(value.split("''")[1]) if "''" in value.split('"')[2] else plain) == name


@pytest.mark.parametrize(
    "media_type",
    [
        "image/png",
        "text/plain; charset=utf-8",
        "application/vnd.a+json",
        'a/b;x="y z"',
        "Text/HTML;\tcharset=x",
    ],
)
def test_media_types_are_taken(media_type: str) -> None:
    assert file_answer(File(b"", media_type=media_type)).headers[0] == ("content-type", media_type)


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "png",
        "image/",
        "/png",
        "a/b\r\nset-cookie: x",
        "a/b;\nx",
        "a/b; ü",
        "a b/c",
        "a/b c",
        None,
        b"image/png",
    ],
)
def test_what_is_no_media_type_is_refused(media_type: Any) -> None:
    with pytest.raises(InvalidItem, match="media_type of a File must look like 'image/png', got"):
        file_answer(File(b"", media_type=media_type))


def test_other_fields_are_checked_too() -> None:
    wrong: Any = "inline; filename=x"
    with pytest.raises(
        InvalidItem, match="disposition of a File must be 'inline' or 'attachment', got 'inline; f"
    ):
        file_answer(File(b"", disposition=wrong))
    wrong = "text"
    with pytest.raises(InvalidItem, match="content of a File must be bytes, got a str"):
        file_answer(File(wrong))
    wrong = None
    with pytest.raises(InvalidItem, match="name of a File must be a str, got None"):
        file_answer(File(b"", name=wrong))
