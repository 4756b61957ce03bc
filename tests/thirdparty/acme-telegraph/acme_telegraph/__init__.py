"""Telegrams over server-sent events, tariffs for MachPay, and a ledger of it all."""

from .dialect import Telegraph
from .ledger import Ledger
from .tariffs import Tariff

__all__ = ["Ledger", "Tariff", "Telegraph"]
