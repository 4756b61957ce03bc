"""Schemas within an OpenAPI document: no references into themselves, and what the user says is heard last."""

from __future__ import annotations

from typing import Any

from sseware.integrations._openapi import contents_of, inlined, merged


def test_what_is_referred_to_stands_where_it_is_referred_to() -> None:
    schema = {"$schema": "x", "$defs": {"A": {"type": "integer"}}, "items": [{"$ref": "#/$defs/A"}]}
    assert inlined(schema) == {"items": [{"type": "integer"}]}


def test_a_type_that_contains_itself_is_described_once() -> None:
    tree: dict[str, Any] = {"type": "array", "items": {"$ref": "#/$defs/Tree"}}
    assert inlined({"$ref": "#/$defs/Tree", "$defs": {"Tree": tree}}) == {"type": "array", "items": {}}


def test_a_type_that_stands_twice_is_described_twice() -> None:
    schema = {"$defs": {"A": {"const": 1}}, "anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]}
    assert inlined(schema) == {"anyOf": [{"const": 1}, {"const": 1}]}


def test_a_reference_to_elsewhere_is_left() -> None:
    assert inlined({"$ref": "#/components/schemas/A"}) == {"$ref": "#/components/schemas/A"}


def test_the_second_of_two_is_heard_where_both_speak() -> None:
    ours = {200: {"a": 1, "b": {"c": 1}}, 406: {}}
    theirs = {200: {"a": 2, "b": {"d": 2}}, 404: {"e": 3}}
    assert merged(ours, theirs) == {200: {"a": 2, "b": {"c": 1, "d": 2}}, 406: {}, 404: {"e": 3}}


def test_two_dialects_with_one_media_type_are_either() -> None:
    contents = contents_of({"dialect": "hector", "dialects": ["machpay"]})
    assert len(contents["application/json"]["schema"]["anyOf"]) == 2
