"""Stress on a real deployment: a slash or a path of prices, many positions, rational liquidators.

A `Stage` holds a deployment with its lenders and borrowers at one or more venues: our market, and
whatever else implements `Venue`. Every figure is read from the chain in whole units.
"""

from relever.risk.market import OurMarket
from relever.risk.outcome import Outcome
from relever.risk.paths import DEPEG_THAT_HEALS, Moment, straight
from relever.risk.stage import Stage
from relever.risk.venue import Books, Cast, Liquidation, Offer, Plan, Position, Venue, ladder

__all__ = [
    "DEPEG_THAT_HEALS",
    "Books",
    "Cast",
    "Liquidation",
    "Moment",
    "Offer",
    "OurMarket",
    "Outcome",
    "Plan",
    "Position",
    "Stage",
    "Venue",
    "ladder",
    "straight",
]
