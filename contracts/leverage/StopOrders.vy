# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title StopOrders
@custom:contract-name StopOrders
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Executes what the owners of positions have signed, when it is due, for whoever asks.
@dev Only at markets of LRT and WETH that are or were listed. The executor chooses when, and nothing else.
     The callback is answered only while the own call to that market runs. Whatever came before, an
     execution ends with the check that no risk was added. Between calls nothing is held here; what is
     sent here by mistake is paid to nobody.
"""
from ..interfaces import IAdjustCallback
from ..interfaces import ILendingMarket
from ..interfaces import IMarketFactory
from ..interfaces import IOracleAdapter
from ..interfaces import IRoute
from ..interfaces import IStopOrders
from ..modules import best_exit
from ..modules import checks
from ..modules import health
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import signatures
from ..modules import token

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]
initializes: best_exit[lrt_entry := lrt_entry, lrt_exit := lrt_exit]

implements: IStopOrders
implements: IAdjustCallback

exports: (
    best_exit.try_sale,
    lrt_entry.LRT,
    lrt_entry.LST,
    lrt_entry.STETH,
    lrt_entry.WETH,
    lrt_exit.STABLE_SWAP,
    lrt_exit.SWAP,
)


# What an order comes to now.
struct Sale:
    sold: uint256
    repaid: uint256
    # WETH that the sale must bring.
    least: uint256


WAD: constant(uint256) = 10**18
E36: constant(uint256) = 10**36
# Above these an order's terms are none.
MAX_HEALTH: constant(uint256) = 100 * WAD
MAX_FEE: constant(uint256) = 2**96

FACTORY: public(immutable(address))
# The type of what is signed, hashed.
ORDER_TYPE: immutable(bytes32)

is_used: public(HashMap[address, HashMap[uint256, bool]])
epoch: public(HashMap[address, uint256])
# The market that the running call has entered.
_active_market: transient(address)


@deploy
def __init__(
    factory: address, lrt: address, lst: address, weth: address, swap: address, stable_swap: address
):
    FACTORY = factory
    ORDER_TYPE = keccak256(
        concat(
            "Order(address owner,address market,uint256 kind,uint256 trigger,",
            "uint256 target_health,uint256 amount,uint256 max_loss,uint256 fee,",
            "uint256 epoch,uint256 nonce,uint256 deadline)",
        )
    )
    lrt_entry.__init__(lrt, lst, weth)
    lrt_exit.__init__(swap, stable_swap)
    # It buys seized LRT only.
    best_exit.__init__(empty(address))


@external
def execute(
    order: IStopOrders.Order,
    signature: Bytes[65],
    grant: IStopOrders.Grant = empty(IStopOrders.Grant),
) -> uint256:
    """@notice See `IStopOrders`."""
    unfit: String[32] = self._unfit(order.market)
    if len(unfit) == 0:
        self._use_grant(order, grant)
    missing: String[32] = self._missing(order)
    if len(missing) != 0:
        checks._fail(missing)
    valid: bool = signatures._is_signed(
        order.owner, keccak256(abi_encode(ORDER_TYPE, order)), signature
    )
    assert valid, "orders: signature"
    self.is_used[order.owner][order.nonce] = True

    collateral_before: uint256 = 0
    debt_before: uint256 = 0
    collateral_before, debt_before = staticcall ILendingMarket(order.market).position(order.owner)
    sale: Sale = self._size(order, collateral_before, debt_before)
    before: uint256 = token._balance(lrt_entry.WETH, self)
    collateral: uint256 = 0
    debt: uint256 = 0
    self._active_market = order.market
    collateral, debt = extcall ILendingMarket(order.market).adjust(
        order.owner,
        -convert(sale.sold, int256),
        -convert(sale.repaid, int256),
        self,
        abi_encode(sale.least),
    )
    self._active_market = empty(address)
    after: uint256 = token._balance(lrt_entry.WETH, self)
    paid_out: uint256 = after - before - order.fee
    token._push(lrt_entry.WETH, msg.sender, order.fee)
    token._push(lrt_entry.WETH, order.owner, paid_out)
    # Health is not lower, at any price.
    safer: bool = debt * collateral_before <= debt_before * collateral
    assert debt <= debt_before and safer, "orders: risk raised"
    log IStopOrders.OrderExecuted(
        owner=order.owner,
        market=order.market,
        executor=msg.sender,
        kind=order.kind,
        nonce=order.nonce,
        sold=sale.sold,
        received=sale.repaid + order.fee + paid_out,
        repaid=sale.repaid,
        fee=order.fee,
        paid_out=paid_out,
    )
    return paid_out


@external
@reentrant
def on_adjust(
    owner: address, collateral_delta: int256, debt_delta: int256, data: Bytes[1024]
) -> uint256:
    """@notice Sell what the market paid out; it pulls the repayment after this."""
    assert msg.sender == self._active_market, "orders: not the active market"
    least: uint256 = abi_decode(data, uint256)
    sold: uint256 = convert(-collateral_delta, uint256)
    received: uint256 = best_exit._sell(sold, empty(IRoute.Route), owner)
    assert received >= least, "orders: sale brings too little"
    token._push(lrt_entry.WETH, msg.sender, convert(-debt_delta, uint256))
    return 0


@external
def cancel(nonce: uint256):
    """@notice See `IStopOrders`."""
    self.is_used[msg.sender][nonce] = True
    log IStopOrders.NonceCancelled(owner=msg.sender, nonce=nonce)


@external
def cancel_all() -> uint256:
    """@notice See `IStopOrders`."""
    epoch: uint256 = self.epoch[msg.sender] + 1
    self.epoch[msg.sender] = epoch
    log IStopOrders.AllCancelled(owner=msg.sender, epoch=epoch)
    return epoch


@view
@external
def status(order: IStopOrders.Order) -> String[32]:
    """@notice See `IStopOrders`."""
    return self._missing(order)


@internal
def _use_grant(order: IStopOrders.Order, grant: IStopOrders.Grant):
    """@notice The owner lets this contract act at the market, if it says so here."""
    if len(grant.signature) != 0:
        extcall ILendingMarket(order.market).set_authorization_by_signature(
            order.owner, self, True, grant.nonce, grant.deadline, grant.signature
        )


@view
@internal
def _missing(order: IStopOrders.Order) -> String[32]:
    """@return What `IStopOrders.status` says."""
    if not self._has_terms(order):
        return "orders: bad terms"
    if block.timestamp > order.deadline:
        return "orders: expired"
    if order.epoch != self.epoch[order.owner]:
        return "orders: all cancelled"
    if self.is_used[order.owner][order.nonce]:
        return "orders: nonce used"
    unfit: String[32] = self._unfit(order.market)
    if len(unfit) != 0:
        return unfit
    authorized: bool = staticcall ILendingMarket(order.market).is_authorized(order.owner, self)
    if not authorized:
        return "orders: not authorized"
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(order.market).position(order.owner)
    if collateral == 0:
        return "orders: no position"
    terms: ILendingMarket.Terms = staticcall ILendingMarket(order.market).terms()
    if order.kind == IStopOrders.Kind.DELEVERAGE:
        worth: uint256 = health._worth_down(collateral, self._hand_over(terms.oracle))
        if worth * terms.threshold > order.trigger * debt:
            return "orders: not triggered"
        return ""
    return self._price_missing(order, terms.oracle)


@view
@internal
def _price_missing(order: IStopOrders.Order, oracle: address) -> String[32]:
    """@notice A price that the oracle refuses triggers nothing, whichever way."""
    answered: bool = False
    answer: Bytes[32] = b""
    answered, answer = raw_call(
        oracle,
        method_id("price()"),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not answered or len(answer) != 32:
        return "orders: no price"
    price: uint256 = convert(answer, uint256)
    due: bool = price >= order.trigger
    if order.kind == IStopOrders.Kind.STOP_LOSS:
        due = price <= order.trigger
    if not due:
        return "orders: not triggered"
    return ""


@view
@internal
def _has_terms(order: IStopOrders.Order) -> bool:
    """@notice Whether the order can mean anything, and no product of its terms overflows."""
    if order.amount == 0 or order.max_loss >= WAD or order.fee > MAX_FEE:
        return False
    if order.kind == IStopOrders.Kind.DELEVERAGE:
        return order.trigger < order.target_health and order.target_health <= MAX_HEALTH
    return order.kind == IStopOrders.Kind.STOP_LOSS or order.kind == IStopOrders.Kind.TAKE_PROFIT


@view
@internal
def _unfit(market: address) -> String[32]:
    """@return Why nothing is done at this market, or an empty string."""
    known: bool = staticcall IMarketFactory(FACTORY).was_listed(market)
    if not known:
        return "orders: never listed"
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    if terms.collateral != lrt_entry.LRT or terms.loan != lrt_entry.WETH:
        return "orders: other tokens"
    return ""


@view
@internal
def _hand_over(oracle: address) -> uint256:
    """@return The price at which a liquidation hands collateral over."""
    fundamental: uint256 = 0
    market: uint256 = 0
    usable: bool = False
    fundamental, market, usable = staticcall IOracleAdapter(oracle).liquidation_prices()
    return min(fundamental, market) if usable else fundamental


@view
@internal
def _size(order: IStopOrders.Order, collateral: uint256, debt: uint256) -> Sale:
    """
    @notice What is sold and repaid, and what the sale must bring. Debt is rounded up, and so is the
            worst price; collateral is sold in whole units.
    @dev A deleverage raises repayment and fee at the worst price. That is a repayment of a debt which
         has the fee in it, by collateral that is handed over at that price with no bonus.
    """
    terms: ILendingMarket.Terms = staticcall ILendingMarket(order.market).terms()
    fundamental: uint256 = staticcall IOracleAdapter(terms.oracle).fundamental()
    worst: uint256 = (fundamental * (WAD - order.max_loss) + WAD - 1) // WAD
    sold: uint256 = min(order.amount, collateral)
    repaid: uint256 = 0
    if order.kind == IStopOrders.Kind.DELEVERAGE:
        price: uint256 = self._hand_over(terms.oracle)
        raised: uint256 = health._repay_to_target_up(
            debt + order.fee,
            health._worth_down(collateral, price),
            price,
            worst,
            terms.threshold,
            order.target_health,
            0,
        )
        sold = min(sold, (raised * E36 + worst - 1) // worst)
        raised = min(raised, sold * worst // E36)
        assert raised > order.fee, "orders: nothing to repay"
        repaid = min(debt, raised - order.fee)
    else:
        # A unit more than its part, which the rounding of debt shares may leave owed.
        repaid = min(debt, (debt * sold + collateral - 1) // collateral + 1)
    bound: uint256 = (sold * worst + E36 - 1) // E36
    return Sale(sold=sold, repaid=repaid, least=max(bound, repaid + order.fee))
