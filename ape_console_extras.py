"""What `ape console` has at hand beside Ape's own."""

from relever import Protocol

__all__ = ["Protocol"]
