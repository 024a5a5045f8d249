# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title LeveragedTokenZap
@custom:contract-name LeveragedTokenZap
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Mints leveraged tokens from what their caller has, and turns them back into it.
@dev Serves the tokens named at creation, and no other target. A token's callback is answered only
     while the own call to it runs. Between calls it holds nothing and allows nothing; what someone
     sends it by mistake is paid to nobody.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import ILendingMarket
from ..interfaces import ILeveragedCallback
from ..interfaces import ILeveragedToken
from ..interfaces import ILeveragedTokenZap
from ..interfaces import ILRTVault
from ..interfaces import IRoute
from ..interfaces import ISidePocket
from ..interfaces import IStETH
from ..interfaces import IWETH

# The tokens and the ways between them.
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import lrt_purchase
from ..modules import token

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]
initializes: lrt_purchase[lrt_entry := lrt_entry, lrt_exit := lrt_exit]

implements: ILeveragedTokenZap
implements: ILeveragedCallback

exports: (
    lrt_entry.LRT,
    lrt_entry.LST,
    lrt_entry.STETH,
    lrt_entry.WETH,
    lrt_exit.STABLE_SWAP,
    lrt_exit.SWAP,
)


WAD: constant(uint256) = 10**18
# LRT that is not minted against: what a purchase leaves of the WETH, and roundings on the way.
MARGIN: constant(uint256) = 1_100

serves: public(HashMap[address, bool])

# The token that the running call has entered.
_active: transient(address)
# In that call, what WETH has bought in LRT on the way in, or LRT has fetched in WETH on the way
# out.
_received: transient(uint256)
# LRT sold on the way out.
_sold: transient(uint256)


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
    assert msg.sender == lrt_entry.WETH, "zap: ether only from weth"


@payable
@external
def enter(
    token_: address,
    token_in: address,
    amount_in: uint256,
    min_shares: uint256,
    receiver: address,
    deadline: uint256,
) -> (uint256, uint256):
    """@notice See `ILeveragedTokenZap`."""
    self._check(token_, deadline)
    rate: uint256 = lrt_purchase._rate_to_swap(0)
    lrt: uint256 = self._take(token_in, amount_in, rate)
    shares: uint256 = self._affordable(token_, lrt)
    assert shares >= min_shares, "zap: too few shares"
    paid: uint256 = 0
    borrowed: uint256 = 0
    self._active = token_
    paid, borrowed = extcall ILeveragedToken(token_).mint(
        shares, max_value(uint256), 0, receiver, abi_encode(msg.sender, rate)
    )
    self._active = empty(address)
    lrt += self._received
    self._received = 0
    assert lrt >= paid, "zap: too little bought"
    token._push(lrt_entry.LRT, msg.sender, lrt - paid)
    log ILeveragedTokenZap.Entered(
        caller=msg.sender,
        token=token_,
        receiver=receiver,
        token_in=token_in,
        amount_in=amount_in,
        shares=shares,
        returned=lrt - paid,
    )
    return shares, lrt - paid


@external
def leave(
    token_: address,
    shares: uint256,
    terms: ILeveragedTokenZap.Exit,
    receiver: address,
    deadline: uint256,
) -> (uint256, uint256):
    """@notice See `ILeveragedTokenZap`."""
    self._check(token_, deadline)
    assert receiver != empty(address) and receiver != self, "zap: receiver"
    to_weth: bool = terms.token_out == lrt_entry.WETH
    known: bool = to_weth or terms.token_out in [lrt_entry.LRT, lrt_entry.LST]
    assert known, "zap: token not accepted"
    sold: uint256 = max_value(uint256) if to_weth else terms.sold
    redeemed: uint256 = 0
    repaid: uint256 = 0
    self._active = token_
    redeemed, repaid = extcall ILeveragedToken(token_).redeem(
        shares, max_value(uint256), 0, msg.sender, abi_encode(msg.sender, sold, terms.route)
    )
    self._active = empty(address)
    weth: uint256 = self._received - repaid
    rest: uint256 = redeemed - self._sold
    self._received = 0
    self._sold = 0
    assert weth >= terms.min_weth, "zap: too little weth"
    token._push(lrt_entry.WETH, receiver, weth)
    out: uint256 = weth
    if not to_weth:
        out = rest
        if terms.token_out == lrt_entry.LRT:
            token._push(lrt_entry.LRT, receiver, rest)
        elif rest != 0:
            out = extcall IERC4626(lrt_entry.LRT).redeem(rest, receiver, self)
            self._hand_over_claim()
    assert out >= terms.min_out, "zap: too little out"
    returned: uint256 = 0 if to_weth else weth
    log ILeveragedTokenZap.Left(
        caller=msg.sender,
        token=token_,
        receiver=receiver,
        shares=shares,
        amount_out=out,
        returned=returned,
    )
    return out, returned


@external
@reentrant
def on_leveraged(collateral_delta: int256, debt_delta: int256, data: Bytes[896]):
    """@notice Turn what the token paid out into what it will pull in."""
    assert msg.sender == self._active, "zap: not the active token"
    caller: address = empty(address)
    if collateral_delta > 0:
        rate: uint256 = 0
        caller, rate = abi_decode(data, (address, uint256))
        borrowed: uint256 = convert(debt_delta, uint256)
        if rate != 0:
            token._push(lrt_entry.WETH, lrt_purchase._seat(rate), borrowed)
        self._received = lrt_purchase._buy(borrowed, rate, 0, caller, self)
        token._approve(lrt_entry.LRT, msg.sender, convert(collateral_delta, uint256))
        return
    most: uint256 = 0
    route: IRoute.Route = empty(IRoute.Route)
    caller, most, route = abi_decode(data, (address, uint256, IRoute.Route))
    owed: uint256 = convert(-debt_delta, uint256)
    sold: uint256 = min(most, convert(-collateral_delta, uint256))
    fetched: uint256 = 0
    if sold != 0:
        fetched = lrt_exit._sell(sold, route, caller)
    assert fetched >= owed, "zap: sale below repayment"
    self._received = fetched
    self._sold = sold
    if owed != 0:
        token._approve(lrt_entry.WETH, msg.sender, owed)


# Steps


@internal
@view
def _check(token_: address, deadline: uint256):
    assert block.timestamp <= deadline, "zap: deadline passed"
    assert self.serves[token_], "zap: token not served"


@payable
@internal
def _take(token_in: address, amount: uint256, rate: uint256) -> uint256:
    """@notice Pull the caller's input. @return LRT that it became."""
    if token_in == empty(address):
        assert msg.value == amount, "zap: ether sent is not amount"
    else:
        assert msg.value == 0, "zap: ether with a token"
    if token_in == lrt_entry.LRT:
        token._pull(token_in, msg.sender, amount)
        return amount
    known: bool = lrt_entry._is_input(token_in)
    assert known, "zap: token not accepted"
    if token_in in [lrt_entry.STETH, lrt_entry.LST]:
        lst: uint256 = lrt_entry._to_lst(token_in, msg.sender, amount)
        return lrt_entry._deposit(lst, self)
    seat: address = lrt_purchase._seat(rate)
    if token_in == lrt_entry.WETH:
        token._move(token_in, msg.sender, seat, amount)
    else:
        extcall IWETH(lrt_entry.WETH).deposit(value=amount)
        if seat != self:
            token._push(lrt_entry.WETH, seat, amount)
    return lrt_purchase._buy(amount, rate, 0, msg.sender, self)


@internal
@view
def _affordable(token_: address, lrt: uint256) -> uint256:
    """@return Shares whose collateral is that LRT and what the vault mints for their debt."""
    assert lrt > MARGIN, "zap: too little to mint"
    market: address = staticcall ILeveragedToken(token_).market()
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(market).position(token_)
    supply: uint256 = staticcall IERC20(token_).totalSupply()
    staked: uint256 = staticcall IStETH(lrt_entry.STETH).getSharesByPooledEth(WAD)
    rate: uint256 = staticcall IERC4626(lrt_entry.LRT).previewDeposit(staked)
    bought: uint256 = debt * rate // WAD
    assert bought < collateral, "zap: token has no equity"
    return (lrt - MARGIN) * supply // (collateral - bought)


@internal
def _hand_over_claim():
    """
    @notice What a quarantined adapter may give back for LRT that was redeemed is the caller's.
    """
    leaves_claim: bool = staticcall ILRTVault(lrt_entry.LRT).had_quarantine()
    if leaves_claim:
        pocket: address = staticcall ILRTVault(lrt_entry.LRT).side_pocket()
        extcall ISidePocket(pocket).hand_over(msg.sender)
