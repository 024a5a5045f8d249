"""Lending: what is owed is there, interest goes one way, and exactly what was asked for moves."""

from __future__ import annotations

from functools import partial
from math import exp2

from relever.fuzz.invariants.base import (
    BORROW,
    CAPS,
    FEED_SCALE,
    LRT,
    MARKET_VIRTUAL,
    MAX_32,
    MAX_90,
    MAX_110,
    MAX_128,
    POSITIONS,
    PRICE_SCALE,
    SHARES,
    SUPPLY,
    TOKENS,
    WAD,
    WETH,
    YEAR,
    Books,
    Invariant,
    Seen,
    invariant,
    sums,
)
from relever.model.backstop import BACKSTOP
from relever.model.market import MARKET
from relever.model.parts import LEVERAGED, LEVERAGED_ZAP, REBALANCER, ROUTER
from relever.model.router import Grants
from relever.model.tokens import UNLIMITED

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

LENDING = ("market.deposit", "market.mint", "market.withdraw", "market.redeem")
ONE_BY_ONE = ("market.liquidate", "liquidator.liquidate")
LIQUIDATIONS = (*ONE_BY_ONE, "liquidator.liquidate_many")
# What may add to a debt or take from its collateral.
_RISKY = ("market.borrow", "market.withdraw_collateral", "market.adjust", "router.open")
# The router's, for the position of its caller.
ROUTED = ("router.open", "router.close", "router.close_to_queue")
# By which a leveraged token borrows for its own position.
_LEVERAGED = (
    *(f"{name}.{what}" for name in LEVERAGED for what in ("mint", "redeem", "rebalance")),
    *(f"{LEVERAGED_ZAP}.enter", f"{LEVERAGED_ZAP}.leave", f"{REBALANCER}.take"),
)
RISKY = (*_RISKY, *ROUTED[1:], *_LEVERAGED)
# What pays a loan out.
_LOANS = ("market.borrow", "market.adjust", "router.open", *_LEVERAGED)
# What changes the caller's or another's position by the one door.
_ADJUSTS = (*RISKY, "market.supply_collateral", "market.repay")
# By these loan tokens come to the market without a call of it.
_GIFTS = ("weth.transfer", "weth.transferFrom", "swap.swap", "swap.swap_up_to")
AUTHORIZED = "market.authorization._authorized"
# Balances and allowances of what is transferred by people.
_TRANSFERS = {
    "weth": (WETH, "weth.allowance"),
    MARKET: (SHARES, "market.share_token._allowances"),
    **{
        name: (f"{name}.erc20.balanceOf", f"{name}.erc20.allowance")
        for name in ("wsteth", "vault", BACKSTOP, *LEVERAGED)
    },
}
# The fee is stored in these, WAD.
_FEE_STEP = 10**12
# Rates of the curve: code 0, what 2**28 codes double, and the bounds of the rate at target.
_MIN_RATE, _DOUBLE, _MAX_CODE = 10**15, 2**28, 2_943_605_304
# Codes per year at full deviation, 50 / ln 2 doublings.
_ADAPTATION = 50 / 0.6931471805599453 * _DOUBLE
# Of an average rate, relative.
_RATE_ERROR = 1.5e-9


# Solvency


@_rule(
    "SOLV-1",
    "The debts of all positions are the market's total debt, up to a unit each and what the "
    "virtual shares bear.",
    "Morpho Blue, Aave v3: sum of debts",
    reads=(BORROW, POSITIONS),
)
def debts_are_the_total(seen: Seen) -> str | None:
    word = seen.after.word(BORROW)
    books = Books(word & MAX_90, (word >> 90) & MAX_110)
    shares = [share for _, share in seen.after.positions.values()]
    if sum(shares) != books.shares:
        return f"All debt shares are {books.shares:_}, those of the positions {sum(shares):_}."
    debts = sum(books.assets_up(share) for share in shares)
    if not debts - len(shares) <= books.assets <= debts + books.assets_down(MARKET_VIRTUAL) + 1:
        return f"Debts of {debts:_} make a total of {books.assets:_}."
    return None


@_rule(
    "SOLV-2",
    "What all lenders can claim is no more than what is supplied.",
    "Morpho Blue: sum of supply shares",
    reads=(SUPPLY, SHARES),
)
def claims_are_supplied(seen: Seen) -> str | None:
    word = seen.after.word(SUPPLY)
    books = Books(word & MAX_90, (word >> 90) & MAX_110)
    balances = seen.after.table(SHARES)
    if sum(balances) != books.shares:
        return f"All shares are {books.shares:_}, those of the accounts {sum(balances):_}."
    # No sum of claims, each rounded down, is above this one.
    claims = books.assets_down(books.shares)
    return f"Claims of {claims:_} on {books.assets:_}." if claims > books.assets else None


@_rule(
    "SOLV-3",
    "The loan tokens in the market cover what is supplied and not lent out.",
    "Morpho Blue, Aave v3: solvency",
    reads=(SUPPLY, BORROW, WETH),
)
def cash_is_held(seen: Seen) -> str | None:
    held = seen.after.table(WETH)[seen.facts.places[MARKET]]
    cash = seen.after.cash
    return f"The market holds {held:_} and owes {cash:_}." if held < cash or cash < 0 else None


@_rule(
    "SOLV-4",
    "The collateral of all positions is in the market.",
    "Ion, Liquity: sum of collateral",
    reads=(POSITIONS, LRT),
)
def collateral_is_held(seen: Seen) -> str | None:
    held = seen.after.table(LRT)[seen.facts.places[MARKET]]
    owned = sum(collateral for collateral, _ in seen.after.positions.values())
    return f"The market holds {held:_} of {owned:_}." if held < owned else None


@_rule(
    "SOLV-5",
    "What is not lent out changes by exactly the loan tokens that come and go, and by no gift.",
    "Euler vault kit: cash accounting",
    reads=(SUPPLY, BORROW, WETH),
)
def cash_moves_with_tokens(seen: Seen) -> str | None:
    booked = seen.after.cash - seen.before.cash
    if seen.action.name in _GIFTS:
        return f"A gift has changed the books by {booked:_}." if booked else None
    held = seen.moved(WETH).get(MARKET, 0)
    if any(call.name in _GIFTS for call in seen.inner):
        # What was given in the middle of it is not in the books.
        return f"Booked are {booked:_} of {held:_}." if booked > held else None
    return f"Booked are {booked:_}, and moved {held:_}." if booked != held else None


@_rule(
    "BAD-4",
    "A position without collateral has no debt.",
    "Morpho Blue: alwaysCollateralized",
    reads=(POSITIONS,),
)
def debt_has_collateral(seen: Seen) -> str | None:
    for owner, (collateral, shares) in seen.after.positions.items():
        if shares and not collateral:
            return f"Debt shares of {shares:_} of {owner} stand on nothing."
    return None


# Interest


@_rule(
    "INT-1",
    "A debt that nobody touches never falls, but for the unit by which each other one was rounded "
    "up.",
    "Euler vault kit, Aave v3: debt is monotone",
    always=True,
)
def debts_only_rise(seen: Seen) -> str | None:
    if seen.before.lent == seen.after.lent:
        return None
    before, after = seen.before.positions, seen.after.positions
    touched = {
        owner for owner, (_, shares) in after.items() if before.get(owner, (0, 0))[1] != shares
    }
    for owner, (_, shares) in after.items():
        if shares and owner not in touched:
            owed, owes = seen.before.lent.assets_up(shares), seen.after.lent.assets_up(shares)
            if owes + max(1, len(touched)) < owed:
                return f"The debt of {owner} was {owed:_} and is {owes:_}."
    return None


@_rule(
    "INT-2",
    "What a lender's share is worth never falls, unless a debt was written off.",
    "Morpho Blue: share price is monotone",
    always=True,
)
def share_price_only_rises(seen: Seen) -> str | None:
    before, after = seen.before.supplied, seen.after.supplied
    if before == after:
        return None
    fell = (after.assets + 1) * (before.shares + MARKET_VIRTUAL) < (before.assets + 1) * (
        after.shares + MARKET_VIRTUAL
    )
    return f"{before} became {after}." if fell and not _writes_off(seen) else None


def _writes_off(seen: Seen) -> bool:
    """Whether a position was liquidated down to no collateral."""
    if not any(call.name in LIQUIDATIONS for call in (seen.action, *seen.inner)):
        return False
    changed = seen.changes.get(POSITIONS, {})
    return any(old >> 128 and not new for old, new in changed.values())


@_rule(
    "INT-3",
    "Interest comes to borrowers' debt and to lenders' claims alike, and of it the fee in shares, "
    "rounded down.",
    "Aave v3: interest of both sides",
    always=True,
)
def interest_is_shared(seen: Seen) -> str | None:
    look = seen.after
    supply, borrow = look.word(SUPPLY), look.word(BORROW)
    now = look.supplied
    earned = now.assets - (supply & MAX_90)
    if earned != look.lent.assets - (borrow & MAX_90):
        return f"Lenders earn {earned:_}, {look.lent.assets - (borrow & MAX_90):_} are owed."
    if (borrow >> 90) & MAX_110 != look.lent.shares:
        return "Interest has made debt shares."
    shares = (supply >> 90) & MAX_110
    fee = earned * ((borrow >> 232) * _FEE_STEP) // WAD
    minted = Books(now.assets - fee, shares).shares_down(fee)
    if now.shares - shares != minted:
        return f"Of {earned:_} the protocol gets {now.shares - shares:_} shares, not {minted:_}."
    return None


@_rule(
    "INT-4",
    "No interest comes within a block, and what is in the books is of their own time.",
    "Morpho Blue: accrual is idempotent",
    always=True,
)
def interest_takes_time(seen: Seen) -> str | None:
    look = seen.after
    supply, borrow = look.word(SUPPLY), look.word(BORROW)
    booked_at = (supply >> 200) & MAX_32
    if (look.now - booked_at) & MAX_32 == 0 and supply & MAX_90 != look.supplied.assets:
        return "Interest has come in no time."
    moved = (supply ^ seen.before.word(SUPPLY)) & ((1 << 200) - 1)
    moved |= (borrow ^ seen.before.word(BORROW)) & ((1 << 200) - 1)
    if moved and booked_at != look.now & MAX_32:
        return f"The books changed at {look.now}, but are of {booked_at}."
    return None


@_rule(
    "INT-5",
    "Interest is what the curve asks at this utilisation for the time since it was last booked.",
    "Morpho: AdaptiveCurveIrm; Euler vault kit: interest accrual",
    always=True,
)
def interest_follows_the_curve(seen: Seen) -> str | None:
    look = seen.after
    supply, borrow = look.word(SUPPLY), look.word(BORROW)
    elapsed = (look.now - (supply >> 200)) & MAX_32
    code = (borrow >> 200) & MAX_32
    assets, debt = supply & MAX_90, borrow & MAX_90
    if elapsed == 0 or assets == 0:
        return None
    found = look.lent.assets - debt
    used, target = debt / assets, 0.9
    deviation = (used - target) / (1 - target if used > target else target)
    moved = deviation * elapsed / YEAR * _ADAPTATION
    ends = [min(max(code + part * moved, 0), _MAX_CODE) for part in (0, 0.5, 1)]
    # The mean of the rates at both ends and twice in the middle.
    start, middle, end = (_MIN_RATE / WAD * exp2(one / _DOUBLE) for one in ends)
    curve = 1 + 3 * deviation if deviation > 0 else 1 + 0.75 * deviation
    x = (start + 2 * middle + end) / 4 * curve * elapsed / YEAR
    # The end's code is rounded to half a step, 1.3e-9 of its rate, the contract's powers are good
    # to 1e-10, and the mean over a small drift to 2e-11. Two divisions round x down and two the
    # growth, by a unit of WAD each: in a second that is more than all of it.
    low = debt * (_growth(max(x * (1 - _RATE_ERROR) - 2 / WAD, 0)) - 2 / WAD) - 1
    high = debt * _growth(x * (1 + _RATE_ERROR))
    # Floats are good to 1e-13 of the whole.
    if not low * (1 - 1e-12) - 1 <= found <= high * (1 + 1e-12) + 1:
        return f"In {elapsed} s {found:_} come on {debt:_}, and not {low:.0f} to {high:.0f}."
    new = look.sight.state.rate_code
    # Rounded to the nearest, at a speed in whole codes a year; the rest is for floats.
    if abs(new - ends[2]) > 0.51 + abs(moved) * 1e-10:
        return f"The rate's code becomes {new}, and not {ends[2]:.1f}."
    return None


def _growth(x: float) -> float:
    """e**x - 1 to the third order."""
    return x + x * x / 2 + x**3 / 6


@_rule(
    "INT-6",
    "What the Lens says of a debt is its shares' part of all debt, rounded up.",
    "Morpho Blue: toAssetsUp",
    always=True,
)
def debts_are_told(seen: Seen) -> str | None:
    look = seen.after
    positions, lent = look.positions, look.lent
    for owner, told in zip(seen.facts.owners, look.sight.debts, strict=True):
        shares = positions.get(owner, (0, 0))[1]
        if told != (lent.assets_up(shares) if shares else 0):
            return f"{owner} owes {lent.assets_up(shares):_}, and is told {told:_}."
    return None


# Lenders


@_rule(
    "LEND-1",
    "Lending and taking out move exactly the assets and the shares that are said.",
    "Aave v3, Morpho Blue: supply and withdraw",
    LENDING,
)
def lending_is_exact(seen: Seen) -> str | None:
    action = seen.action
    assets, shares = _lent(seen)
    if action.name in ("market.deposit", "market.mint"):
        receiver = action.arguments[1]
        paid, owned = sums((action.caller, -assets), (MARKET, assets)), {receiver: shares}
    else:
        receiver, owner = action.arguments[1:3]
        paid, owned = sums((MARKET, -assets), (receiver, assets)), {owner: -shares}
        shares = -shares
    fee = seen.moved(SHARES).get(MARKET, 0)
    if fee:
        owned = sums(*owned.items(), (MARKET, fee))
    return moves_only(seen, {WETH: paid, SHARES: owned})


@_rule(
    "LEND-2",
    "Shares are rounded against who lends or takes out, by less than a unit.",
    "ERC-4626, Morpho Blue: rounding direction",
    LENDING,
)
def lending_is_rounded(seen: Seen) -> str | None:
    name = seen.action.name
    assets, shares = _lent(seen)
    sign = 1 if name in ("market.deposit", "market.mint") else -1
    after = seen.after.supplied
    # The books right before it, with interest until then.
    books = Books(after.assets - sign * assets, after.shares - sign * shares)
    expected = {
        "market.deposit": (assets, books.shares_down(assets)),
        "market.mint": (books.assets_up(shares), shares),
        "market.withdraw": (assets, books.shares_up(assets)),
        "market.redeem": (books.assets_down(shares), shares),
    }[name]
    if (assets, shares) != expected or 0 in expected:
        return f"{assets:_} for {shares:_} shares, and not {expected} of {books}."
    return None


def _lent(seen: Seen) -> tuple[int, int]:
    """Assets and shares of a lender's action, as they were named and returned."""
    named, other = seen.action.arguments[0], seen.outcome.result
    in_assets = seen.action.name in ("market.deposit", "market.withdraw")
    return (named, other) if in_assets else (other, named)


@_rule(
    "LEND-3",
    "Nothing is lent above the supply cap, and nothing taken out that is lent out.",
    "Aave v3, Euler vault kit: supply cap; Morpho Blue: liquidity",
    LENDING,
)
def lending_has_bounds(seen: Seen) -> str | None:
    cap, supplied = seen.after.word(CAPS) & MAX_128, seen.after.supplied.assets
    if seen.action.name in ("market.deposit", "market.mint") and supplied > cap:
        return f"{supplied:_} are supplied under a cap of {cap:_}."
    return f"The cash is {seen.after.cash:_}." if seen.after.cash < 0 else None


@_rule(
    "LEND-4",
    "Who takes out another's assets uses up exactly so much of an allowance.",
    "ERC-4626, a16z erc4626-tests: allowances",
    ("market.withdraw", "market.redeem"),
)
def lenders_agree(seen: Seen) -> str | None:
    owner, caller = seen.action.arguments[2], seen.action.caller
    if owner == caller:
        return None
    return spent(seen, "market.share_token._allowances", owner, caller, _lent(seen)[1])


# Borrowers


@_rule(
    "BOR-1",
    "Borrowing and repaying change debt, collateral and balances by exactly what is asked, "
    "repaying by the debt at most.",
    "Aave v3: borrow and repay",
    (
        "market.borrow",
        "market.repay",
        "market.supply_collateral",
        "market.withdraw_collateral",
        "market.adjust",
    ),
)
def adjusting_is_exact(seen: Seen) -> str | None:
    if seen.inner:
        return None
    owner, receiver, collateral, debt = _asked(seen)
    caller, held = seen.action.caller, seen.before.positions.get(owner, (0, 0))
    now = seen.after.positions.get(owner, (0, 0))
    if collateral >= 0 and len(seen.action.arguments) > 4:
        # A callback says how much is pulled in, at least what was asked for.
        given = now[0] - held[0]
        if given < collateral:
            return f"{given:_} of collateral instead of {collateral:_}."
        collateral = given
    if now[0] - held[0] != collateral:
        return f"Collateral changes by {now[0] - held[0]:_}, and not by {collateral:_}."
    repaid = 0
    if debt < 0:
        repaid = seen.moved(WETH).get(MARKET, 0)
        whole = now[1] == 0
        if not 0 <= repaid <= -debt or (repaid < -debt and not whole):
            return f"{repaid:_} are repaid of {-debt:_}."
    lent = max(debt, 0)
    fee = seen.moved(SHARES).get(MARKET, 0)
    taken, given = max(-collateral, 0), max(collateral, 0)
    return moves_only(
        seen,
        {
            WETH: sums(
                (MARKET, repaid - lent),
                (receiver, lent),
                (caller, -repaid),
            ),
            LRT: sums((MARKET, collateral), (receiver, taken), (caller, -given)),
            SHARES: sums((MARKET, fee)),
        },
    )


def owner_of(seen: Seen) -> str:
    """Whose position an action of `RISKY` changes."""
    contract: str = seen.action.name.partition(".")[0]
    if contract == ROUTER:
        return seen.action.caller
    if contract in LEVERAGED:
        return contract
    zapped = contract in (LEVERAGED_ZAP, REBALANCER)
    owner: str = seen.action.arguments[0] if zapped else _asked(seen)[0]
    return owner


def _asked(seen: Seen) -> tuple[str, str, int, int]:
    """Owner, receiver, and the changes of collateral and debt that were asked for."""
    name, said = seen.action.name.partition(".")[2], seen.action.arguments
    if name == "borrow":
        return said[1], said[2], 0, said[0]
    if name == "repay":
        return said[1], said[1], 0, -said[0]
    if name == "supply_collateral":
        return said[1], said[1], said[0], 0
    if name == "withdraw_collateral":
        return said[1], said[2], -said[0], 0
    return said[0], said[3], said[1], said[2]


@_rule(
    "BOR-2",
    "Debt shares are rounded against who borrows or repays, by less than one; who repays all has "
    "none.",
    "Morpho Blue: toSharesUp on borrow, toSharesDown on repay",
    ("market.borrow", "market.repay", "market.adjust"),
)
def debt_is_rounded(seen: Seen) -> str | None:
    if seen.inner:
        return None
    owner, _, _, debt = _asked(seen)
    was, now = (
        seen.before.positions.get(owner, (0, 0))[1],
        seen.after.positions.get(owner, (0, 0))[1],
    )
    after = seen.after.lent
    if debt > 0:
        added = Books(after.assets - debt, after.shares - (now - was)).shares_up(debt)
        return f"{now - was:_} debt shares for {debt:_}." if now - was != added else None
    repaid = seen.moved(WETH).get(MARKET, 0)
    if debt == 0 or repaid == 0:
        return f"Debt shares change by {now - was:_} for nothing." if now != was else None
    if now:
        burned = Books(after.assets + repaid, after.shares + was - now).shares_down(repaid)
        return f"{was - now:_} debt shares for {repaid:_}." if was - now != burned else None
    # All of it was rounded up, and came off the total or went to the lenders.
    owed = seen.before.lent.assets_up(was)
    if seen.at_once() and repaid != owed:
        return f"{repaid:_} repay a debt of {owed:_}."
    return f"{repaid:_} repay what was {owed:_} before." if repaid < owed else None


@_rule(
    "BOR-3",
    "What borrowers do never lowers what lenders are owed together.",
    "Morpho Blue: supply total is monotone",
    _ADJUSTS,
)
def lenders_lose_nothing(seen: Seen) -> str | None:
    before, after = seen.before.supplied.assets, seen.after.supplied.assets
    if after < before and not any(call.name.startswith("market.") for call in seen.inner):
        return f"Lenders were owed {before:_} and are owed {after:_}."
    return None


@_rule(
    "BOR-4",
    "Only the owner, or who may act for it, takes out collateral or borrows.",
    "Morpho Blue: onlyAuthorized",
    RISKY,
)
def borrowers_agree(seen: Seen) -> str | None:
    action, owner = seen.action, owner_of(seen)
    if owner in LEVERAGED and action.name in _LEVERAGED:
        return None
    if action.name.startswith("router."):
        actor = "router"
    else:
        (_, _, collateral, debt), actor = _asked(seen), action.caller
        if collateral >= 0 and debt <= 0:
            return None
    if action.name == "router.open" and not action.arguments[3]:
        return None
    signed = any(
        isinstance(said, Grants) and said.signer == owner and said.deadline >= seen.after.now
        for said in action.arguments
    )
    if owner != actor and not signed and not seen.before.entry(AUTHORIZED, (owner, actor)):
        return f"{actor} acts for {owner} without being allowed to."
    return None


@_rule(
    "CAP-1",
    "What is lent out is within the borrow cap after a loan, and a loan is no smaller than the "
    "minimum.",
    "Aave v3, Euler vault kit: borrow cap",
    _LOANS,
)
def loans_have_bounds(seen: Seen) -> str | None:
    if seen.moved(WETH).get(MARKET, 0) >= 0 or seen.inner:
        return None
    cap, owed = seen.after.word(CAPS) >> 128, seen.after.lent.assets
    if owed > cap:
        return f"{owed:_} are lent out under a cap of {cap:_}."
    debt = seen.after.position(owner_of(seen))[1]
    if debt < seen.facts.terms.min_debt:
        return f"A loan of {debt:_} is below the minimum of {seen.facts.terms.min_debt:_}."
    return None


@_rule(
    "CAP-2",
    "Nobody borrows while large losses have not faded.",
    "Euler vault kit, Silo: halt after bad debt",
    _LOANS,
)
def halt_is_kept(seen: Seen) -> str | None:
    if seen.moved(WETH).get(MARKET, 0) >= 0:
        return None
    mark = seen.before.word(SUPPLY) >> 232
    # The low 23 bits tell when all has faded, in steps of twelve seconds; a halt ends a day before.
    left = (mark - seen.after.now // 12) % 2**23
    if mark >> 23 and 7_200 < left <= 14_400:
        return f"There are {left} steps until the losses have faded."
    return None


# Health


@_rule(
    "HF-2",
    "Who takes a risk is within the maximum LTV afterwards, at the least of the live fundamental "
    "price, the growth cap, the smoothed market and what the feed says.",
    "Aave v3, Euler vault kit: account status check",
    RISKY,
)
def risk_is_covered(seen: Seen) -> str | None:
    owner = owner_of(seen)
    (had, owed), (has, owes) = seen.before.position(owner), seen.after.position(owner)
    if owes == 0 or owes * had <= (owed + 1) * has:
        return None
    # Until now the debt has grown by itself, which needs no price.
    if not seen.at_once() and seen.before.positions.get(owner) == seen.after.positions.get(owner):
        return None
    if not seen.at_once() and _no_heavier(seen, owner):
        return None
    sight = seen.after.sight
    price = min(sight.prices.fundamental, sight.prices.smoothed, sight.answer * FEED_SCALE)
    worth = has * price // PRICE_SCALE
    if owes * WAD > worth * seen.facts.terms.max_ltv:
        return f"A debt of {owes:_} on collateral worth {worth:_}."
    return None


def _no_heavier(seen: Seen, owner: str) -> bool:
    """Whether debt shares per collateral are no more than before: then no price is needed."""
    (had, owed), (has, owes) = (
        look.positions.get(owner, (0, 0)) for look in (seen.before, seen.after)
    )
    return owes * had <= (owed + 1) * has + had


@_rule(
    "HF-4",
    "Adding collateral and repaying never make a position riskier, borrowing and taking out never "
    "safer.",
    "Aave v3: HF_GPOST_A and B",
    ("market.supply_collateral", "market.repay", "market.borrow", "market.withdraw_collateral"),
)
def risk_has_a_direction(seen: Seen) -> str | None:
    owner, _, _, _ = _asked(seen)
    (had, owed), (has, owes) = (
        look.positions.get(owner, (0, 0)) for look in (seen.before, seen.after)
    )
    if seen.action.name in ("market.supply_collateral", "market.repay"):
        return f"{owed:_} became {owes:_}." if has < had or owes > owed else None
    return f"{owed:_} became {owes:_}." if has > had or owes < owed else None


def moves_only(seen: Seen, expected: dict[str, dict[str, int]]) -> str | None:
    """What tokens have moved otherwise than expected, by table and account."""
    for token in TOKENS:
        found, right = seen.moved(token), expected.get(token, {})
        if found != right:
            return f"{token} moves by {found}, and not by {right}."
    return None


@_rule(
    "TOK-1",
    "A transfer moves exactly the amount between the two, an approved one uses the allowance up, "
    "and nothing else changes.",
    "ERC-20; crytic/properties: ERC20",
    tuple(f"{token}.{name}" for token in _TRANSFERS for name in ("transfer", "transferFrom")),
)
def transfers_are_exact(seen: Seen) -> str | None:
    token, _, name = seen.action.name.partition(".")
    table, allowances = _TRANSFERS[token]
    *owner, receiver, amount = seen.action.arguments
    giver = owner[0] if owner else seen.action.caller
    expected = sums((giver, -amount), (receiver, amount))
    wrong = moves_only(seen, {table: expected})
    if table not in TOKENS and seen.moved(table) != expected:
        wrong = f"{table} moves by {seen.moved(table)}, and not by {expected}."
    # Of WETH one needs no allowance for what is his own.
    if wrong or name == "transfer" or giver == seen.action.caller:
        return wrong
    return spent(seen, allowances, giver, seen.action.caller, amount)


def spent(seen: Seen, table: str, owner: str, spender: str, amount: int) -> str | None:
    """Where an allowance was not used up by exactly this; one without limit never is.

    The words leave out none of a person's, and in an action's own name no contract spends one.
    """
    key = owner, spender
    before, after = seen.before.entry(table, key), seen.after.entry(table, key)
    right = before if before == UNLIMITED else before - amount
    if after == right:
        return None
    return f"Of {owner}'s {before:_} for {spender} {after:_} are left after {amount:_}."
