"""Telegrams over server-sent events, and tariffs for MachPay."""

from .dialect import Telegraph
from .tariffs import Tariff

__all__ = ["Tariff", "Telegraph"]
