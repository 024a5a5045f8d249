# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title The best way out of the LRT
@custom:contract-name best_exit
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Where no route is named, each is tried and the one that brings most WETH is taken.
@dev A trial is a call of this contract to itself that sells, and says by its revert what that brought:
     nothing of it lasts. A claim that redeeming leaves after a quarantine is not counted.
     The backstop pool is a way out for the liquidator that it names, and for nobody else.
"""
from ethereum.ercs import IERC4626

from ..interfaces import IBackstopPool
from ..interfaces import IRoute

# The tokens.
from . import lrt_entry
from . import lrt_exit
from . import token

uses: lrt_entry
uses: lrt_exit


# A sale that was given too little gas must not pass for one that fails. Out of gas, at most 16 calls deep
# of which each keeps a 64th, it leaves less than a quarter; and whoever below refuses to begin with too
# little gas does so with less than this much, which is above what a feed is given.
GAS_KEPT: constant(uint256) = 200_000
BRINGS: constant(bytes4) = method_id("Brings(uint256)", output_type=bytes4)
TRY_SALE: constant(bytes4) = method_id("try_sale(uint256,uint256,address)", output_type=bytes4)

# The zero address where there is none.
BACKSTOP: public(immutable(address))


@deploy
def __init__(backstop: address):
    BACKSTOP = backstop
    if backstop != empty(address):
        sells_here: address = staticcall IBackstopPool(backstop).LIQUIDATOR()
        buys: address = staticcall IBackstopPool(backstop).LRT()
        pays: address = staticcall IERC4626(backstop).asset()
        fits: bool = sells_here == self and buys == lrt_entry.LRT and pays == lrt_entry.WETH
        assert fits, "path: backstop of another"


@external
@reentrant
def try_sale(amount: uint256, route: IRoute.Route, seller: address):
    """@notice Reverts always: with `Brings(uint256)`, what a sale brings, where it works. Only by itself."""
    assert msg.sender == self, "path: trials are its own"
    received: uint256 = self._sell_by(amount, route, seller)
    raw_revert(abi_encode(received, method_id=BRINGS))


@internal
def _sell(amount: uint256, route: IRoute.Route, seller: address) -> uint256:
    """@notice As `lrt_exit._sell`, by the best route where none is named."""
    taken: IRoute.Route = route
    if route == empty(IRoute.Route):
        taken = self._best(amount, seller)
    return self._sell_by(amount, taken, seller)


@internal
def _sell_by(amount: uint256, route: IRoute.Route, seller: address) -> uint256:
    """@notice As `lrt_exit._sell`, which does not know the backstop."""
    if route != IRoute.Route.BACKSTOP:
        return lrt_exit._sell(amount, route, seller)
    assert BACKSTOP != empty(address), "path: no such route"
    # It takes all of that, or nothing.
    token._approve(lrt_entry.LRT, BACKSTOP, amount)
    return extcall IBackstopPool(BACKSTOP).buy(amount)


@internal
def _best(amount: uint256, seller: address) -> IRoute.Route:
    """@return The route that brings most; of equals the first."""
    best: IRoute.Route = empty(IRoute.Route)
    most: uint256 = 0
    for route: IRoute.Route in [
        IRoute.Route.SWAP, IRoute.Route.REDEEM, IRoute.Route.STABLE, IRoute.Route.BACKSTOP
    ]:
        gas_before: uint256 = msg.gas
        success: bool = False
        answer: Bytes[36] = b""
        success, answer = raw_call(
            self,
            abi_encode(amount, route, seller, method_id=TRY_SALE),
            max_outsize=36,
            revert_on_failure=False,
        )
        sold: bool = len(answer) == 36 and convert(slice(answer, 0, 4), bytes4) == BRINGS
        if sold:
            received: uint256 = extract32(answer, 4, output_type=uint256)
            if received > most:
                most = received
                best = route
        else:
            assert msg.gas > gas_before // 4 + GAS_KEPT, "path: too little gas"
    assert best != empty(IRoute.Route), "path: no way out"
    return best
