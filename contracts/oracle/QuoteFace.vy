# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title QuoteFace
@custom:contract-name QuoteFace
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The oracle as ERC-7726 has it: what an amount of LRT is worth in WETH, and the other way round.
@dev Rounded down in either direction. The standard's custom errors are reasons here.
     A low price is cautious for LRT in WETH alone: WETH in LRT becomes more by it. Who values a debt
     in LRT is served by neither mode of `face`: both leave out what is paid above fundamental.
"""
# Products of any two amounts.
from snekmate.utils import math

from ..interfaces import IPriceOracle

# The oracle and the mode.
from ..modules import face

initializes: face

implements: IPriceOracle

exports: (
    face.CONSERVATIVE,
    face.ORACLE,
)


interface Priced:
    def VAULT() -> address: view


PRICE_SCALE: constant(uint256) = 10**36

LRT: public(immutable(address))
WETH: public(immutable(address))


@deploy
def __init__(oracle: address, conservative: bool, weth: address):
    """@param weth The token in which the oracle prices the LRT, which it does not know by address."""
    face.__init__(oracle, conservative)
    LRT = staticcall Priced(oracle).VAULT()
    assert weth != empty(address) and weth != LRT, "face: quote token"
    WETH = weth


@view
@external
def getQuote(inAmount: uint256, base: address, quote: address) -> uint256:
    """@notice See `IPriceOracle`. Any other pair than the two tokens reverts."""
    sold: bool = base == LRT and quote == WETH
    bought: bool = base == WETH and quote == LRT
    assert sold or bought, "face: unknown pair"
    price: uint256 = face._price()[0]
    if sold:
        return math._mul_div(inAmount, price, PRICE_SCALE, False)
    assert price != 0, "face: no price"
    return math._mul_div(inAmount, PRICE_SCALE, price, False)
