"""Router, liquidator, zap, seller and swap: nothing is left in them, they keep to their bounds."""

from __future__ import annotations

from functools import partial

from relever.fuzz.invariants.base import (
    LRT,
    STETH,
    TOKENS,
    WETH,
    WSTETH,
    Invariant,
    Seen,
    invariant,
)
from relever.fuzz.invariants.market import AUTHORIZED, ROUTED
from relever.model.backstop import BACKSTOP
from relever.model.parts import (
    LEVERAGED,
    LEVERAGED_ZAP,
    LIQUIDATOR,
    ORDERS,
    REBALANCER,
    ROUTER,
    SELLER,
    VAULT,
    ZAP,
)
from relever.model.router import Bounds, Grants

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

# Wei that are not worth a stake.
_DUST = 1_000
# A leveraged token has a position, and no tokens of its own.
_HELPERS = (ROUTER, LIQUIDATOR, ORDERS, ZAP, LEVERAGED_ZAP, REBALANCER, *LEVERAGED, "swap")
_GIFTS = frozenset(
    f"{token}.{name}"
    for token in ("weth", "wsteth", "steth", "vault", "market")
    for name in ("transfer", "transferFrom")
)
_ALLOWANCES = (
    *("weth.allowance", "steth.allowance", "market.share_token._allowances"),
    *(f"{name}.erc20.allowance" for name in ("wsteth", VAULT, BACKSTOP, *LEVERAGED)),
)


@_rule(
    "ROUT-1",
    "No action leaves a helper with more of any token than it had been given before.",
    "Liquity bold: FundsAreSwept",
    reads=(*TOKENS,),
)
def helpers_keep_nothing(seen: Seen) -> str | None:
    action = seen.action
    if action.name in _GIFTS:
        return None
    for token in TOKENS:
        for account, (before, after) in seen.changes.get(token, {}).items():
            if account in _HELPERS and after > before:
                # Who is named as the receiver of something else gets it, be it a helper.
                calls = (action, *seen.inner)
                if not any(account in call.arguments for call in calls):
                    return f"{account} has {after - before:_} more of {token}."
    return None


@_rule(
    "ROUT-2",
    "No contract leaves an allowance behind that it gave in passing.",
    "Liquity bold: no standing approvals",
    reads=(*_ALLOWANCES,),
)
def helpers_allow_nothing(seen: Seen) -> str | None:
    contracts = (*_HELPERS, SELLER, "eigenlayer", "symbiotic", VAULT, "queue", "market", BACKSTOP)
    for table in _ALLOWANCES:
        for key, (_, left) in seen.changes.get(table, {}).items():
            if left and key[0] in contracts:
                return f"{key[0]} lets {key[1]} take {left:_} of {table}."
    return None


@_rule(
    "ROUT-4",
    "Opening and closing keep to the caller's bounds, and say what became of the position.",
    "Liquity bold zappers, Contango: slippage bounds",
    ROUTED,
)
def bounds_are_kept(seen: Seen) -> str | None:
    bounds = _bounds(seen)
    collateral, debt = seen.after.position(seen.action.caller)
    *paid, told_collateral, told_debt = seen.outcome.result
    if (told_collateral, told_debt) != (collateral, debt):
        return f"{seen.outcome.result} are said, the position is {collateral:_} and {debt:_}."
    if collateral < bounds.min_collateral or debt > bounds.max_debt:
        return f"{collateral:_} and {debt:_} with bounds of {bounds}."
    if paid and (
        paid[-1] < bounds.min_out or seen.moved(WETH).get(seen.action.caller, 0) != paid[-1]
    ):
        return f"{paid[-1]:_} are paid with bounds of {bounds}."
    return None


def _bounds(seen: Seen) -> Bounds:
    return next(said for said in seen.action.arguments if isinstance(said, Bounds))


@_rule(
    "ROUT-10",
    "Who asked for it has nothing left that lets the router act, whatever came before.",
    "Relever: stale authorisations",
    ROUTED,
)
def rights_are_given_back(seen: Seen) -> str | None:
    grants = seen.action.arguments[-1]
    if not isinstance(grants, Grants) or not grants.revoke:
        return None
    if seen.after.entry(AUTHORIZED, (seen.action.caller, ROUTER)):
        return f"The router may still act for {seen.action.caller}."
    return None


@_rule(
    "ROUT-5",
    "Nothing is opened or closed after its deadline.",
    "Uniswap v3 periphery: deadline",
    ROUTED,
)
def deadlines_are_kept(seen: Seen) -> str | None:
    late = seen.after.now - _bounds(seen).deadline
    return f"It is {late} s late." if late > 0 else None


@_rule(
    "ROUT-6",
    "The router opens at listed markets only.",
    "Relever: listing",
    ("router.open",),
)
def markets_are_listed(seen: Seen) -> str | None:
    market = seen.action.arguments[0]
    listed = seen.before.entry("factory.is_listed", market)
    return None if listed else f"{market} is not listed."


@_rule(
    "ROUT-8",
    "Whoever comes by router or zap pays with his own tokens, exactly what he named, but for dust "
    "of WETH that a purchase leaves.",
    "Relever: no arbitrary calls",
    ("router.open", "zap.deposit"),
)
def only_own_tokens_are_used(seen: Seen) -> str | None:
    token, amount = seen.action.arguments[1:3]
    if seen.action.name == "zap.deposit":
        token, amount = seen.action.arguments[:2]
    caller = seen.action.caller
    table = {"weth": WETH, "wsteth": WSTETH, "steth": STETH, VAULT: LRT}.get(token)
    for name in TOKENS:
        if name == LRT and seen.action.name == "zap.deposit":
            continue
        for account, moved in seen.moved(name).items():
            person = account not in _CONTRACTS and account != caller
            if moved < 0 and person:
                return f"{account} has paid {-moved:_} of {name}."
    if table is None or table == STETH:
        return None
    paid = -seen.moved(table).get(caller, 0)
    least = amount - _DUST if table == WETH and seen.action.name == "router.open" else amount - 1
    return f"{paid:_} of {amount:_} are paid." if not least < paid <= amount else None


_CONTRACTS = frozenset(
    (
        *(
            ROUTER,
            LIQUIDATOR,
            ORDERS,
            ZAP,
            "swap",
            SELLER,
            VAULT,
            "market",
            "queue",
            "weth",
            "steth",
        ),
        *("wsteth", "strategy", "symbiotic_vault", "lrt_pool", "lst_pool", "side_pocket"),
    )
)


@_rule(
    "ROUT-9",
    "A refused action leaves no trace.",
    "Euler vault kit, Morpho Blue: atomicity",
    refused=True,
)
def refusal_leaves_no_trace(seen: Seen) -> str | None:
    changed = seen.changes
    if not changed:
        return None
    return f"It changes {', '.join(sorted(changed))}."


@_rule(
    "ZAP-2",
    "Who comes to a leveraged token by its zap gets the shares that it says, at least those asked "
    "for, and who leaves at least what he has asked for; neither after his deadline.",
    "Yearn, Liquity: zap",
    (f"{LEVERAGED_ZAP}.enter", f"{LEVERAGED_ZAP}.leave"),
)
def leveraged_zap_gives(seen: Seen) -> str | None:
    *asked, receiver, deadline = seen.action.arguments
    first, beside = seen.outcome.result
    if seen.after.now > deadline:
        return f"It is {seen.after.now - deadline} s late."
    if seen.action.name == f"{LEVERAGED_ZAP}.enter":
        given = seen.moved(f"{asked[0]}.erc20.balanceOf").get(receiver, 0)
        if asked[3] <= first <= given:
            return None
        return f"{given:_} shares are given, {first:_} said, {asked[3]:_} asked for."
    terms = asked[2]
    table = {"weth": WETH, "wsteth": WSTETH, VAULT: LRT}[terms.token]
    given = seen.moved(table).get(receiver, 0)
    weth = first if table == WETH else beside
    # Who sells what he redeems to himself, at the pool, may pay for it in the same token.
    if first < terms.min_out or weth < terms.min_weth or given < first:
        return f"{given:_} are given, {first:_} and {beside:_} said, {terms} asked for."
    return None


@_rule(
    "REB-1",
    "The rebalancer pays its caller what it says, at least what he has asked for.",
    "Liquity bold: FundsAreSwept; Relever: no loss ends well",
    (f"{REBALANCER}.take",),
)
def rebalancer_pays(seen: Seen) -> str | None:
    _, lowers, _, _, least = seen.action.arguments
    earned, profit = WETH if lowers else LRT, seen.outcome.result
    got = seen.moved(earned).get(seen.action.caller, 0)
    if profit < least or got < profit:
        return f"{got:_} are got, {profit:_} said, {least:_} asked for."
    return None


@_rule(
    "ZAP-1",
    "The zap gives the shares that it says, at least those asked for.",
    "Yearn, Liquity: zap",
    ("zap.deposit",),
)
def zap_gives_shares(seen: Seen) -> str | None:
    _, _, least, receiver = seen.action.arguments
    given = seen.moved(LRT).get(receiver, 0)
    shares: int = seen.outcome.result
    if shares < max(least, 1) or given < shares:
        return f"{given:_} shares are given, {shares:_} said, {least:_} asked for."
    return None


@_rule(
    "SELL-1",
    "What rewards are sold for goes to the vault, at least as much as was asked for.",
    "Yearn: trade factory",
    ("seller.sell",),
)
def rewards_go_to_the_vault(seen: Seen) -> str | None:
    got, said = seen.moved(WSTETH).get(VAULT, 0), seen.outcome.result
    if got != said or said < seen.action.arguments[2]:
        return f"The vault gets {got:_}, said are {said:_} of {seen.action.arguments[2]:_}."
    return None
