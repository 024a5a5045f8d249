# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Rebalancer
@custom:contract-name Rebalancer
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Takes auctions of leveraged tokens with no capital of its own: a token gives first, that is turned
        into what it asks for, and what is left goes to the caller.
@dev Serves the tokens named at creation, and no other target. Its callback is answered only while its own
     call to that token runs, and none that loses money ends well. Between calls it holds nothing and
     allows nothing; what is sent here by mistake is paid to nobody.
"""
from ..interfaces import ILeveragedCallback
from ..interfaces import ILeveragedToken
from ..interfaces import IRebalancer
from ..interfaces import IRoute

# The tokens and the ways between them.
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import lrt_purchase
from ..modules import token

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]
initializes: lrt_purchase[lrt_entry := lrt_entry, lrt_exit := lrt_exit]

implements: IRebalancer
implements: ILeveragedCallback

exports: (
    lrt_entry.LRT,
    lrt_entry.LST,
    lrt_entry.STETH,
    lrt_entry.WETH,
    lrt_exit.STABLE_SWAP,
    lrt_exit.SWAP,
)


serves: public(HashMap[address, bool])

# The token that the running call has entered.
_active: transient(address)


@deploy
def __init__(
    lrt: address,
    lst: address,
    weth: address,
    swap: address,
    stable_swap: address,
    tokens: DynArray[address, 8],
):
    """@param tokens Leveraged tokens of that LRT and WETH."""
    lrt_entry.__init__(lrt, lst, weth)
    lrt_exit.__init__(swap, stable_swap)
    for served: address in tokens:
        market: address = staticcall ILeveragedToken(served).market()
        lrt_exit._check_market(market)
        self.serves[served] = True


@payable
@external
@reentrant
def __default__():
    """@notice Takes ether from unwrapping WETH, and from nobody else."""
    assert msg.sender == lrt_entry.WETH, "rebalancer: ether only from weth"


@external
def take(
    token_: address, lowers: bool, amount: uint256, route: IRoute.Route, min_profit: uint256
) -> uint256:
    """@notice See `IRebalancer`."""
    assert self.serves[token_], "rebalancer: token not served"
    earned: address = lrt_entry.WETH if lowers else lrt_entry.LRT
    before: uint256 = token._balance(earned, self)
    brought: uint256 = 0
    got: uint256 = 0
    self._active = token_
    brought, got = extcall ILeveragedToken(token_).rebalance(
        lowers, amount, 0, abi_encode(msg.sender, route)
    )
    self._active = empty(address)
    after: uint256 = token._balance(earned, self)
    profit: uint256 = after - before
    assert profit >= min_profit, "rebalancer: profit too small"
    token._push(earned, msg.sender, profit)
    log IRebalancer.Taken(
        token=token_, caller=msg.sender, lowers=lowers, brought=brought, got=got, profit=profit
    )
    return profit


@external
@reentrant
def on_leveraged(collateral_delta: int256, debt_delta: int256, data: Bytes[896]):
    """@notice Turn what the token paid out into what it will pull in."""
    assert msg.sender == self._active, "rebalancer: not the active token"
    caller: address = empty(address)
    route: IRoute.Route = empty(IRoute.Route)
    caller, route = abi_decode(data, (address, IRoute.Route))
    if collateral_delta < 0:
        owed: uint256 = convert(-debt_delta, uint256)
        fetched: uint256 = lrt_exit._sell(convert(-collateral_delta, uint256), route, caller)
        assert fetched >= owed, "rebalancer: sale below payment"
        token._approve(lrt_entry.WETH, msg.sender, owed)
        return
    needed: uint256 = convert(collateral_delta, uint256)
    weth: uint256 = convert(debt_delta, uint256)
    rate: uint256 = lrt_purchase._rate_to_swap(0)
    if rate != 0:
        token._push(lrt_entry.WETH, lrt_purchase._seat(rate), weth)
    bought: uint256 = lrt_purchase._buy(weth, rate, 0, caller, self)
    assert bought >= needed, "rebalancer: too little bought"
    token._approve(lrt_entry.LRT, msg.sender, needed)
