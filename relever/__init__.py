"""Relever: leveraged liquid restaking, its contracts' Python side."""

__version__ = "0.1.0"
