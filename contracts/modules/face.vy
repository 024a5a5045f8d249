# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Face of an oracle
@custom:contract-name face
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Which oracle a face speaks for, and in which mode; both for ever.
@dev *Fundamental* mode tells what backs the LRT, and the smoothed market price instead once a deep
     discount has lasted: what our own liquidations go by. It moves with no trade, and answers with a
     dead feed too, unless the discount had lasted before: then there is nothing to believe, and it
     reverts. It suits who liquidates on it: lending markets, where a dip of the market must take
     nobody's position. Who lends on it lends on what the vault has booked: a slash that nobody has
     shown to the vault yet is not in the price, nor a discount that has not lasted.
     *Conservative* mode tells the least of feed, live rate and growth cap, and reverts without a fresh
     feed, with an unreadable adapter and while the LRT's supply is not accepted. It suits who only
     adds risk on it: minting, limits, opening; who liquidates on it liquidates in every dip, and
     cannot while it reverts.
     A lasting discount takes pokes of the oracle: a market of ours pokes with each loan and each
     liquidation, and otherwise anyone may.
"""
from ..interfaces import IOracleAdapter


ORACLE: public(immutable(address))
CONSERVATIVE: public(immutable(bool))


@deploy
def __init__(oracle: address, conservative: bool):
    """@dev Its fundamental price tells that it is an oracle; a price may be missing at the moment."""
    there: uint256 = staticcall IOracleAdapter(oracle).fundamental()
    assert there != 0, "face: oracle without a price"
    ORACLE = oracle
    CONSERVATIVE = conservative


@view
@internal
def _price() -> (uint256, uint256):
    """@return The price, scaled by 1e36, and when it was made."""
    price: uint256 = 0
    made_at: uint256 = 0
    price, made_at = staticcall IOracleAdapter(ORACLE).face_price(CONSERVATIVE)
    return price, made_at
