"""Which representation, and which dialect, a client gets, and why: pure functions over frozen values."""

from ._answers import merge_vary, not_acceptable
from ._negotiate import negotiate
from ._values import Decision, Offer, Request

__all__ = ["Decision", "Offer", "Request", "merge_vary", "negotiate", "not_acceptable"]
