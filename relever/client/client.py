"""One deployment, used from one account: quote, look at what would happen, and do it.

Amounts go in as text with a unit (`relever.client.units`) and come out in wei, ratios in WAD. A
position is opened and closed at the deployment's market. What an action needs beside it, such as an
approval or the router's right over the position, is given for the exact amount in the transaction
before, and a right that was not there before is taken back in the one after.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import is_address, to_checksum_address

from relever.chain import Call, Contract, Event
from relever.client import units
from relever.client.account import load_account
from relever.client.live import ClientError, Live
from relever.protocol import CONTRACTS, NOBODY, WAD, Protocol
from relever.quotes import (
    ROUTES,
    Closing,
    Opening,
    Position,
    QuoteRefused,
    position,
    quote_close,
    quote_leverage,
    quote_open,
    quote_sale,
    token_address,
)

# How long a quote can be used, and how much worse the outcome may be, unless said otherwise.
DEADLINE_SECONDS = 1_200
SLIPPAGE = "0.5%"
# Halvings of what to sell for a leverage: to a part in 2**60 of the position.
_STEPS = 60

_UINT, _ADDRESS, _BOOL = ({"name": "", "type": kind} for kind in ("uint256", "address", "bool"))


def _function(name: str, inputs: list[Any], outputs: list[Any], kind: str) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": inputs,
        "outputs": outputs,
        "stateMutability": kind,
    }


# What is used of a token, WETH's own function, and OpenZeppelin's errors (ERC-6093).
_TOKEN = [
    _function("balanceOf", [_ADDRESS], [_UINT], "view"),
    _function("allowance", [_ADDRESS, _ADDRESS], [_UINT], "view"),
    _function("approve", [_ADDRESS, _UINT], [_BOOL], "nonpayable"),
    _function("deposit", [], [], "payable"),
    {
        "type": "error",
        "name": "ERC20InsufficientBalance",
        "inputs": [_ADDRESS, _UINT, _UINT],
    },
    {
        "type": "error",
        "name": "ERC20InsufficientAllowance",
        "inputs": [_ADDRESS, _UINT, _UINT],
    },
]


@dataclass(frozen=True)
class OpenQuote:
    """What opening or raising would do, and the bounds that it will be held to.

    `amount_in` in the token's wei, `borrow` and `max_debt` in wei of WETH, `min_collateral` in wei
    of LRT, `deadline` in seconds since 1970. Bounds are the quoted position less (more) slippage.
    """

    token: str
    amount_in: int
    borrow: int
    opening: Opening
    min_collateral: int
    max_debt: int
    deadline: int


@dataclass(frozen=True)
class CloseQuote:
    """What lowering or closing would do, and the bounds that it will be held to.

    `collateral_out` and `min_collateral` in wei of LRT, `repay`, `max_debt` and `min_out` in wei of
    WETH; `route` is a name of `relever.quotes.ROUTES`.
    """

    collateral_out: int
    repay: int
    route: str
    closing: Closing
    min_collateral: int
    max_debt: int
    min_out: int
    deadline: int


@dataclass(frozen=True)
class Plan:
    """An action, ready to be simulated or sent: its transactions in their order.

    `after` takes back what the others gave, and is sent even when one of them fails. `event` is
    the contract and name of the log that says what came of it; `bounds` is what the action is held
    to on chain.
    """

    action: str
    calls: tuple[Call, ...]
    event: tuple[str, str]
    bounds: dict[str, int] = field(default_factory=dict)
    after: Call | None = None

    @property
    def all_calls(self) -> tuple[Call, ...]:
        """With that one, if there is one."""
        return self.calls if self.after is None else (*self.calls, self.after)


@dataclass(frozen=True)
class Outcome:
    """What an action did, or by a dry run would do.

    `amounts` is what its event says, in wei; `transactions` are hashes, none after a dry run;
    `gas_used` is of all of them.
    """

    action: str
    dry_run: bool
    steps: tuple[str, ...]
    bounds: dict[str, int]
    amounts: dict[str, int]
    transactions: tuple[str, ...] = ()
    gas_used: int = 0


class Client:
    """A deployment seen by one account; without an account it only reads and quotes."""

    def __init__(self, protocol: Protocol, account: LocalAccount | None) -> None:
        self.protocol = protocol
        self.account = account

    @classmethod
    def connect(
        cls,
        node: str,
        deployment: str | Path,
        account: LocalAccount | str | None = None,
        password_file: str | Path | None = None,
    ) -> Client:
        """Find a deployment on a node.

        Args:
            node: its address, as http://127.0.0.1:8545.
            deployment: JSON of addresses by name, or a record with them under "addresses" and, if
                it likes, the "chain_id" that they are on.
            account: a signer of eth_account, a keystore file, or the name of an Ape account.
            password_file: of the keystore; else the password is asked for.

        Raises:
            ClientError: what is given cannot be used; says what and why.
        """
        addresses, chain_id = _record(Path(deployment))
        if isinstance(account, str):
            account = load_account(account, Path(password_file) if password_file else None)
        chain = Live.at(node, account)
        if chain_id is not None and chain.chain_id != chain_id:
            raise ClientError(
                f"{deployment} is of chain {chain_id}, and {node} is of chain {chain.chain_id}: "
                "take the node or the record of the other"
            )
        try:
            return cls(Protocol.at(chain, addresses), account)
        except ValueError as error:
            raise ClientError(f"{deployment}: {error}") from error

    @property
    def owner(self) -> str:
        """The account's address; zero without one."""
        return self.account.address if self.account else NOBODY

    # Positions

    def position(self, owner: str | None = None) -> Position:
        """The account's position, or somebody's. Raises `ClientError` for what is no address."""
        return position(self.protocol, self.owner if owner is None else checked(owner))

    def quote_open(
        self,
        amount: str = "0ether",
        leverage: str | None = None,
        borrow: str | None = None,
        token: str = "ether",
        slippage: str = SLIPPAGE,
        deadline_seconds: int = DEADLINE_SECONDS,
    ) -> OpenQuote:
        """What opening (or raising) would do: to a leverage, or with so much borrowed.

        Args:
            token: what `amount` is of: ether, weth, steth, wsteth or lrt.

        Raises:
            UnitError: an amount without its unit.
            QuoteRefused: the contracts would refuse it.
        """
        if (leverage is None) == (borrow is None):
            raise ClientError("give a leverage or what to borrow, one of the two")
        address = self._token(token)
        asked = (self.protocol, self.owner, address, units.amount(amount))
        if leverage is not None:
            loan, opening = quote_leverage(*asked, units.leverage(leverage))
        else:
            loan = units.amount(borrow or "")
            opening = quote_open(*asked, loan)
        if opening.refusal:
            raise QuoteRefused("open", opening.refusal)
        least, most = self._around(opening.position, slippage)
        deadline = self._deadline(deadline_seconds)
        return OpenQuote(token, asked[3], loan, opening, least, most, deadline)

    def quote_close(
        self,
        collateral: str = "max",
        repay: str = "max",
        route: str = "best",
        slippage: str = SLIPPAGE,
        deadline_seconds: int = DEADLINE_SECONDS,
    ) -> CloseQuote:
        """What closing (or lowering) would do: take so much LRT out, sell it, repay so much.

        Args:
            route: swap, redeem or stable; or best, for the one that fetches most.

        Raises:
            UnitError: an amount without its unit.
            QuoteRefused: the contracts would refuse it, by every route asked.
        """
        out, owed = units.amount_or_max(collateral), units.amount_or_max(repay)
        if out == units.MAX:
            out = self.position().collateral
        return self._closing(out, owed, route, slippage, deadline_seconds)

    def quote_adjust(
        self,
        leverage: str,
        route: str = "best",
        slippage: str = SLIPPAGE,
        deadline_seconds: int = DEADLINE_SECONDS,
    ) -> OpenQuote | CloseQuote:
        """What bringing the position to a leverage would do, with nothing paid in.

        It is not above the leverage afterwards, and hardly below. On the way down what the sale
        fetches is repaid, but for the slippage, which goes to the owner unless the sale slips.
        Raises as the other quotes do.
        """
        target = units.leverage(leverage)
        now = self.position()
        if not now.collateral:
            raise ClientError(f"{self.owner} has no position to adjust: open one first")
        if now.leverage is not None and now.leverage <= target:
            return self.quote_open(
                leverage=leverage, slippage=slippage, deadline_seconds=deadline_seconds
            )
        best = self._closing(now.collateral, units.MAX, route, slippage, deadline_seconds)
        asked = (best.route, slippage, deadline_seconds)
        low, high = 0, now.collateral
        for _ in range(_STEPS):
            middle = (low + high) // 2
            if middle in (low, high):
                break
            try:
                fetched = quote_sale(self.protocol, middle, _route(best.route))
                found = self._closing(middle, _less(fetched, slippage), *asked)
            except QuoteRefused:
                # Too little is sold for the market to let the rest stand.
                low = middle
                continue
            reached = found.closing.position.leverage
            if reached is not None and reached <= target:
                best, high = found, middle
            else:
                low = middle
        return best

    def open(self, quote: OpenQuote) -> Position:
        """Do what was quoted, within its bounds; the position afterwards. Raises `Revert`."""
        self.run(self.plan_open(quote))
        return self.position()

    def close(self, quote: CloseQuote) -> Position:
        """Do what was quoted, within its bounds; the position afterwards. Raises `Revert`."""
        self.run(self.plan_close(quote))
        return self.position()

    def adjust(self, quote: OpenQuote | CloseQuote) -> Position:
        """Do what was quoted, within its bounds; the position afterwards. Raises `Revert`."""
        return self.open(quote) if isinstance(quote, OpenQuote) else self.close(quote)

    # Plans

    def plan_open(self, quote: OpenQuote) -> Plan:
        """The transactions of `open`."""
        router, market = self.protocol.router, self.protocol.market
        token = self._token(quote.token)
        bounds = (quote.min_collateral, quote.max_debt, 0, quote.deadline, 0)
        value = self._paid(quote.token, quote.amount_in)
        call = router.open.build(
            market.address,
            token,
            quote.amount_in,
            quote.borrow,
            bounds,
            sender=self.owner,
            value=value,
        )
        calls = (*self._approved(token, router, quote.amount_in), call)
        kept = {
            "min_collateral": quote.min_collateral,
            "max_debt": quote.max_debt,
            "deadline": quote.deadline,
        }
        return self._with_right(Plan("open", calls, (router.address, "Opened"), kept))

    def plan_close(self, quote: CloseQuote) -> Plan:
        """The transactions of `close`."""
        router, market = self.protocol.router, self.protocol.market
        bounds = (quote.min_collateral, quote.max_debt, quote.min_out, quote.deadline, 0)
        call = router.close.build(
            market.address,
            quote.collateral_out,
            quote.repay,
            ROUTES[quote.route],
            bounds,
            sender=self.owner,
        )
        kept = {
            "min_collateral": quote.min_collateral,
            "max_debt": quote.max_debt,
            "min_out": quote.min_out,
            "deadline": quote.deadline,
        }
        return self._with_right(Plan("close", (call,), (router.address, "Closed"), kept))

    def plan_lend(self, amount: str, token: str = "ether") -> Plan:
        """Lend WETH at the market; ether is wrapped first. There is no price that could slip."""
        if token not in ("ether", "weth"):
            raise ClientError(f"the market lends WETH, not {token}: give ether or weth")
        market, weth = self.protocol.market, self._contract(self._token("weth"))
        given = units.amount(amount)
        value = self._paid(token, given)
        wrap = [weth.deposit.build(sender=self.owner, value=value)] if value else []
        call = market.deposit.build(given, self.owner, sender=self.owner)
        calls = (*wrap, *self._approved(weth.address, market, given), call)
        return Plan("lend", calls, (market.address, "Deposit"))

    def plan_withdraw(self, amount: str) -> Plan:
        """Take back what was lent, in WETH; `max` is all that the account is owed."""
        market, asked = self.protocol.market, units.amount_or_max(amount)
        if asked == units.MAX:
            call = market.redeem.build(
                market.balanceOf(self.owner), self.owner, self.owner, sender=self.owner
            )
        else:
            call = market.withdraw.build(asked, self.owner, self.owner, sender=self.owner)
        return Plan("withdraw", (call,), (market.address, "Withdraw"))

    def plan_stake(self, amount: str, token: str = "ether", slippage: str = SLIPPAGE) -> Plan:
        """Ether, WETH, stETH or wstETH into the LRT; held to what `preview` says less slippage."""
        if token == "lrt":
            raise ClientError("the LRT is staked already: give ether, weth, steth or wsteth")
        zap, given, address = self.protocol.zap, units.amount(amount), self._token(token)
        least = _less(zap.preview(address, given), slippage)
        value = self._paid(token, given)
        call = zap.deposit.build(address, given, least, self.owner, sender=self.owner, value=value)
        calls = (*self._approved(address, zap, given), call)
        return Plan("stake", calls, (zap.address, "Zapped"), {"min_shares": least})

    def plan_redeem(self, amount: str, queue: bool = False) -> Plan:
        """LRT back into wstETH: at once from what is idle, or by a request in the queue.

        ERC-4626 takes no bound: an exit at once gives the vault's rate of that block less its fee.
        """
        vault, line = self.protocol.vault, self.protocol.queue
        shares = units.amount_or_max(amount)
        if shares == units.MAX:
            shares = vault.balanceOf(self.owner)
        self._needs("LRT", vault.balanceOf(self.owner), shares)
        if queue:
            call = line.requestRedeem.build(shares, self.owner, self.owner, sender=self.owner)
            calls = (*self._approved(vault.address, line, shares), call)
            return Plan("request", calls, (line.address, "RedeemRequest"))
        call = vault.redeem.build(shares, self.owner, self.owner, sender=self.owner)
        return Plan("redeem", (call,), (vault.address, "Withdraw"))

    def plan_claim(self, request_id: int) -> Plan:
        """What a request in the queue has been paid, in wstETH."""
        line = self.protocol.queue
        call = line.claim.build(request_id, self.owner, sender=self.owner)
        return Plan("claim", (call,), (line.address, "RequestClaimed"))

    def plan_liquidate(
        self, owner: str, max_repay: str = "max", route: str = "best", slippage: str = SLIPPAGE
    ) -> Plan:
        """Liquidate somebody without capital; held to the profit that is simulated less slippage.

        Raises `Revert` when it cannot be done now.
        """
        liquidator = self.protocol.liquidator
        way = 0 if route == "best" else _route(route)
        asked = (self.protocol.market.address, checked(owner), units.amount_or_max(max_repay), way)
        profit = liquidator.liquidate.call(*asked, 0, sender=self.owner)
        least = _less(profit, slippage)
        call = liquidator.liquidate.build(*asked, least, sender=self.owner)
        event = (liquidator.address, "LiquidatedFor")
        return Plan("liquidate", (call,), event, {"min_profit": least})

    # Doing

    def run(self, plan: Plan, dry_run: bool = False) -> Outcome:
        """Simulate a plan as a whole and, unless it is a dry run, send it.

        Nothing is sent when any transaction of it would fail. If one fails all the same, because
        something has changed since, those before it stand, and rights given are taken back.

        Raises:
            Revert: one would fail, or has failed since.
            ClientError: there is no account, or it has no ether for gas.
        """
        if self.account is None:
            raise ClientError("there is no account to act for: give one")
        chain = self.protocol.chain
        assert isinstance(chain, Live)
        steps = tuple(call.label for call in plan.all_calls)
        logged = [event for events in chain.simulate(plan.all_calls) for event in events]
        amounts = _amounts(plan, logged)
        if dry_run:
            return Outcome(plan.action, True, steps, plan.bounds, amounts)
        if chain.balance(self.owner) == 0:
            raise ClientError(f"{self.owner} has no ether to pay gas with: send it some")
        receipts = []
        try:
            for call in plan.calls:
                receipts.append(chain.send(call))
        finally:
            if plan.after is not None and receipts:
                receipts.append(chain.send(plan.after))
        amounts = _amounts(plan, [event for receipt in receipts for event in receipt.events])
        hashes = tuple(receipt.tx_hash for receipt in receipts)
        gas = sum(receipt.gas_used for receipt in receipts)
        return Outcome(plan.action, False, steps, plan.bounds, amounts, hashes, gas)

    # Helpers

    def _closing(
        self, out: int, repay: int, route: str, slippage: str, deadline_seconds: int
    ) -> CloseQuote:
        names = list(ROUTES) if route == "best" else [route]
        found: list[tuple[str, Closing]] = []
        refused: QuoteRefused | None = None
        for name in names:
            try:
                closing = quote_close(self.protocol, self.owner, out, repay, _route(name))
                if closing.refusal:
                    raise QuoteRefused("close", closing.refusal)
                found.append((name, closing))
            except QuoteRefused as error:
                refused = refused or error
        if not found:
            assert refused is not None
            raise refused
        name, closing = max(found, key=lambda one: one[1].received)
        _, most = self._around(closing.position, slippage)
        least = _less(closing.paid_out, slippage)
        kept = closing.position.collateral
        deadline = self._deadline(deadline_seconds)
        return CloseQuote(out, repay, name, closing, kept, most, least, deadline)

    def _around(self, quoted: Position, slippage: str) -> tuple[int, int]:
        """The least collateral and the most debt of a position that slips by so much."""
        more = -(-quoted.debt * (WAD + units.share(slippage)) // WAD)
        return _less(quoted.collateral, slippage), more

    def _deadline(self, seconds: int) -> int:
        return self.protocol.chain.timestamp + seconds

    def _token(self, name: str) -> str:
        try:
            return token_address(self.protocol, name)
        except ValueError as error:
            raise ClientError(str(error)) from error

    def _contract(self, address: str) -> Contract:
        return self.protocol.chain.contract(address, _TOKEN)

    def _paid(self, token: str, amount: int) -> int:
        """What of it is sent along as ether, once it is sure that the account has it."""
        if token == "ether":
            self._needs("ether", self.protocol.chain.balance(self.owner), amount)
            return amount
        self._needs(token, self._contract(self._token(token)).balanceOf(self.owner), amount)
        return 0

    def _needs(self, token: str, has: int, needs: int) -> None:
        if has < needs:
            raise ClientError(
                f"{self.owner} has {units.written(has)} of {token} and needs "
                f"{units.written(needs)}: get more, or take less"
            )

    def _approved(self, token: str, spender: Contract, amount: int) -> list[Call]:
        """The approval, where it is needed and not there."""
        if token == NOBODY or not amount:
            return []
        contract = self._contract(token)
        if contract.allowance(self.owner, spender.address) >= amount:
            return []
        return [contract.approve.build(spender.address, amount, sender=self.owner)]

    def _with_right(self, plan: Plan) -> Plan:
        """With the router's right over the position given before and taken back after."""
        market, router = self.protocol.market, self.protocol.router.address
        if market.is_authorized(self.owner, router):
            return plan
        give, take = (
            market.set_authorization.build(router, on, sender=self.owner) for on in (True, False)
        )
        return replace(plan, calls=(give, *plan.calls), after=take)


def checked(address: str) -> str:
    """With its checksum. Raises `ClientError` for what is none."""
    if not is_address(address):
        raise ClientError(f"{address!r} is no address: it has 0x and 40 hexadecimal digits")
    return to_checksum_address(address)


def _route(name: str) -> int:
    if name not in ROUTES:
        raise ClientError(f"no route {name!r}: take best or one of {', '.join(ROUTES)}")
    return ROUTES[name]


def _less(amount: int, slippage: str) -> int:
    return amount * (WAD - units.share(slippage)) // WAD


def _amounts(plan: Plan, logged: Iterable[Event]) -> dict[str, int]:
    for event in logged:
        if (event.address, event.name) == plan.event:
            return {name: value for name, value in event.args.items() if type(value) is int}
    raise ClientError(f"{plan.action} left no {plan.event[1]}: is the deployment of this version?")


def _record(path: Path) -> tuple[Mapping[str, str], int | None]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClientError(f"{path} cannot be read ({error.strerror}): give a deployment") from error
    except ValueError as error:
        raise ClientError(f"{path} is no JSON ({error}): give a deployment's record") from error
    addresses = found.get("addresses", found) if isinstance(found, dict) else None
    if not isinstance(addresses, dict):
        raise ClientError(f"{path} holds no addresses by name: give a deployment's record")
    for name in CONTRACTS:
        if name not in addresses:
            raise ClientError(f"{path} has no address for {name}: add it")
        if not is_address(addresses[name]):
            raise ClientError(f"{path}: {name} is {addresses[name]!r}, which is no address")
    return addresses, found.get("chain_id")
