"""What a campaign did, for people and for machines: tables, a JSON document and a page."""

from relever.fuzz.report.run import STOPPED, Pace, Run

__all__ = ["STOPPED", "Pace", "Run"]
