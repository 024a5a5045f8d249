"""A first state machine over the whole loop, on a fork: any order of lending, restaking, looping,
slashing, prices and liquidations keeps the suite solvent and conserves every token.

Each rule works out from the state before what must happen, and then demands it: an amount, or a
revert string. Slashes aim at the riskiest position, since uniformly drawn ones hardly reach it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from relever.chain import Receipt, Revert
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from tests import scene as steps

ETHER = 10**18
PARTS = st.integers(1, 100)
MAX_LTV = 91 * 10**16
MIN_DEBT = 10**17


# What stops a sale of the LRT: no idle assets, a dry pool, an amount of nothing.
EXIT_LIMITS = {
    "vault: not enough idle",
    "vault: zero assets",
    "swap: not enough liquidity",
    "swap: amount",
}


def attempt(send: Callable[[], Receipt]) -> tuple[Receipt | None, str]:
    """The receipt, or none and the reason of the revert."""
    try:
        return send(), ""
    except Revert as error:
        return None, error.reason


class ProtocolMachine(RuleBasedStateMachine):
    """Loopers, lenders and depositors in one market; amounts in wei, parts in per cent."""

    def __init__(self, scene: Deployment, reached: Counter[str]) -> None:
        super().__init__()
        self.scene, self.reached = scene, reached
        self.suite, self.chain, roles = scene.protocol, scene.chain, scene.roles
        self.weth, self.wsteth = scene.world.core.weth, scene.world.core.wsteth
        self.loopers = [roles.looper, roles.borrower, roles.trader]
        self.lenders = [roles.lender, roles.keeper]
        self.depositors = [roles.depositor, roles.stranger]
        self.exits: list[int] = []
        self.donated: Counter[str] = Counter()
        # What the vault's and the market's own events say came in less what went out.
        self.vault_flow = self.market_flow = 0
        self.loss_seen = self.lenders_loss_seen = False
        self.start = self.chain.snapshot()
        for log in self._logs(self.suite.vault.address) + self._logs(self.suite.market.address):
            self._book(self.chain.decode_log(log))
        self.rate, self.lender_price = self._rates()

    def teardown(self) -> None:
        self.chain.revert(self.start)

    @initialize(
        equities=st.tuples(
            st.integers(ETHER // 10, 8 * ETHER),
            st.integers(ETHER // 10, 8 * ETHER),
            # So small that it goes whole.
            st.integers(ETHER // 60, ETHER // 40),
        ),
        leverages=st.tuples(*[st.integers(200, 1050)] * 2, st.integers(900, 1050)),
    )
    def begin(self, equities: tuple[int, ...], leverages: tuple[int, ...]) -> None:
        self._done("lend", steps.lend(self.scene, 400 * ETHER))
        self._done("restake", steps.restake(self.scene, 100 * ETHER))
        self._done("stake", steps.stake_idle(self.scene, 180 * ETHER))
        for who, (equity, leverage) in enumerate(zip(equities, leverages, strict=True)):
            self.open(who, equity, leverage)

    # Lenders and depositors

    @rule(who=st.integers(0, 1), amount=st.integers(1, 200 * ETHER))
    def lend(self, who: int, amount: int) -> None:
        self._done("lend", steps.lend(self.scene, amount, self.lenders[who]))

    @rule(who=st.integers(0, 1), part=PARTS)
    def withdraw(self, who: int, part: int) -> None:
        lender, market = self.lenders[who], self.suite.market
        amount = market.maxWithdraw(lender) * part // 100
        if amount == 0:
            return
        had = self.weth.balanceOf(lender)
        self._done("withdraw", market.withdraw(amount, lender, lender, sender=lender))
        assert self.weth.balanceOf(lender) == had + amount

    @rule(who=st.integers(0, 1), amount=st.integers(ETHER // 1000, 50 * ETHER))
    def restake(self, who: int, amount: int) -> None:
        self._done("restake", steps.restake(self.scene, amount, self.depositors[who]))

    @rule(who=st.integers(0, 1), part=PARTS)
    def redeem(self, who: int, part: int) -> None:
        holder, vault = self.depositors[who], self.suite.vault
        shares = vault.maxRedeem(holder) * part // 100
        expected = vault.previewRedeem(shares)
        if expected == 0:
            return
        had = self.wsteth.balanceOf(holder)
        self._done("redeem", vault.redeem(shares, holder, holder, sender=holder))
        assert self.wsteth.balanceOf(holder) == had + expected

    # The vault's stake

    @rule(part=PARTS)
    def stake(self, part: int) -> None:
        amount = self.suite.vault.idle() * part // 100
        vault, adapter = self.suite.vault, self.suite.eigenlayer
        whole = vault.totalAssets() + vault.locked_profit()
        # What is booked after it can be some units less by rounding, or by a loss it brings along.
        room = whole * 9 // 10 - vault.booked(adapter.address)
        if 1000 < amount <= room:
            self._done("stake", steps.stake_idle(self.scene, amount))

    @rule(part=PARTS)
    def unstake(self, part: int) -> None:
        vault, adapter = self.suite.vault, self.suite.eigenlayer
        amount = adapter.staked() * part // 100
        if amount <= 1000 or len(self.exits) == 8:
            return
        receipt = vault.deallocate(adapter.address, amount, sender=self.scene.roles.allocator)
        self._done("unstake", receipt)
        self.exits += [
            e.args["id"] for e in receipt.events if e.address == vault.address and "id" in e.args
        ]

    @precondition(lambda self: self.exits)
    @rule()
    def bring_home(self) -> None:
        self.scene.world.pass_withdrawal_delay()
        vault, adapter = self.suite.vault, self.suite.eigenlayer
        receipt = vault.finish_exit(
            adapter.address, self.exits.pop(0), sender=self.scene.roles.stranger
        )
        self._done("bring home", receipt)

    @rule()
    def sync(self) -> None:
        self._done("sync", self.suite.vault.sync(sender=self.scene.roles.stranger))

    # Positions

    @rule(
        who=st.integers(0, 2),
        equity=st.integers(ETHER // 10, 20 * ETHER) | st.just(20 * ETHER),
        leverage=st.integers(110, 1100),
    )
    def open(self, who: int, equity: int, leverage: int) -> None:
        looper, view = self.loopers[who], self._view()
        rate = self.wsteth.stEthPerToken()
        borrow = equity * rate // WAD * (leverage - 100) // 100
        position = view.positions[who]
        expected = self._borrow_error(view, position, borrow, equity)
        send = partial(steps.open_leveraged, self.scene, equity, borrow, looper)
        if self._demand(expected, "open", send):
            _, debt = self.suite.market.position(looper)
            assert 0 <= debt - position.debt - borrow <= 1

    @rule(who=st.integers(0, 2), part=PARTS, route=st.sampled_from([steps.SWAP, steps.REDEEM]))
    def close(self, who: int, part: int, route: int) -> None:
        looper, view = self.loopers[who], self._view()
        position = view.positions[who]
        if position.debt == 0 or position.collateral == 0:
            return
        out = position.collateral * part // 100
        # Rounded up: debt per collateral never rises by it, so that no price is asked.
        repay = -(-position.debt * out // position.collateral)
        bounds = (0, UNLIMITED, 0, UNLIMITED, 0)
        receipt, refusal = attempt(
            lambda: self.suite.router.close(
                self.suite.market.address, out, repay, route, bounds, sender=looper
            )
        )
        if receipt:
            self._done("close", receipt)
            return
        # A position under water, or one that is dust.
        assert refusal in EXIT_LIMITS | {"router: sale below repayment", "router: nothing to do"}

    @rule(who=st.integers(0, 2), part=PARTS)
    def repay(self, who: int, part: int) -> None:
        looper, market = self.loopers[who], self.suite.market
        _, debt = market.position(looper)
        amount = debt * part // 100
        if amount == 0:
            return
        self.scene.world.fund(looper, weth=amount)
        self.weth.approve(market.address, amount, sender=looper)
        self._done("repay", market.repay(amount, looper, sender=looper))

    @rule(who=st.integers(0, 2), ltv=st.sampled_from([50, 80, 88, 90, 91, 92, 95]))
    def borrow_up_to(self, who: int, ltv: int) -> None:
        """Borrow to an LTV in per cent, that is also beyond the allowed 91."""
        looper, view = self.loopers[who], self._view()
        position = view.positions[who]
        worth = position.collateral * view.oracle.borrow_price // PRICE_SCALE
        amount = worth * ltv // 100 - position.debt
        if amount <= 0:
            return
        expected = self._borrow_error(view, position, amount, 0)
        send = partial(self.suite.market.borrow, amount, looper, looper, sender=looper)
        if self._demand(expected, "borrow", send):
            self.reached["borrow near the limit"] += ltv >= 85

    @rule(
        rank=st.integers(0, 2),
        part=st.sampled_from([1, 30, 60, 100, 120]),
        by_contract=st.booleans(),
    )
    def liquidate(self, rank: int, part: int, by_contract: bool) -> None:
        """Liquidate the position of that rank in risk, with own capital or with none."""
        view, market = self._view(), self.suite.market
        who = sorted(range(3), key=lambda index: view.positions[index].health)[rank]
        owner = self.loopers[who]
        liquidator, position = self.scene.roles.liquidator, view.positions[who]
        if not position.liquidatable:
            with pytest.raises(Revert, match="market: healthy"):
                market.liquidate(owner, UNLIMITED, 0, sender=liquidator)
            self.reached["healthy refused"] += 1
            self.reached["barely healthy refused"] += position.health < 1021 * 10**15
            return
        if by_contract:
            self._liquidate_by_contract(who, position)
            return
        offer = position.debt * part // 100
        self.scene.world.fund(liquidator, weth=position.debt)
        self.weth.approve(market.address, UNLIMITED, sender=liquidator)
        receipt, refusal = attempt(lambda: market.liquidate(owner, offer, 0, sender=liquidator))
        if receipt:
            self._after_liquidation(receipt, who, position)
            return
        assert refusal in {"market: repay must be whole", "market: nothing repaid"}
        assert offer < position.debt

    # The world

    @rule(
        health=st.sampled_from([80, 85, 90, 94, 96, 97, 98, 98, 99, 99, 101, 101, 102]),
        then=st.sampled_from(["leave it", "sync", "liquidate", "liquidate", "liquidate"]),
        part=st.sampled_from([1, 30, 60, 100, 120]),
        by_contract=st.booleans(),
    )
    def slash(self, health: int, then: str, part: int, by_contract: bool) -> None:
        """Slash so that the riskiest position's health comes to about `health` per cent.

        Below 93 its debt is more than its collateral.
        """
        view = self._view()
        riskiest = min(position.health for position in view.positions)
        staked = self.suite.eigenlayer.total_assets()
        if staked < ETHER or riskiest * 100 <= health * WAD or riskiest == UNLIMITED:
            return
        target_loss = view.vault.total_assets * (riskiest - health * WAD // 100) // riskiest
        wad = min(target_loss * WAD // staked, 6 * WAD // 10)
        if wad == 0:
            return
        self.scene.world.slash(wad)
        self.loss_seen = True
        self.reached["slash"] += 1
        self.reached["slash with exits in flight"] += bool(self.exits)
        if then != "leave it":
            self.sync()
        if then == "liquidate":
            self.liquidate(0, part, by_contract)

    @rule(discount=st.integers(0, 15))
    def feed(self, discount: int) -> None:
        self.scene.answer_fundamental(discount * WAD // 100)
        self.suite.oracle.poke(sender=self.scene.roles.keeper)
        self.reached["market below fundamental"] += discount > 0

    @rule(days=st.integers(0, 40), seconds=st.integers(1, 86_400))
    def time_passes(self, days: int, seconds: int) -> None:
        self.chain.advance(days * steps.DAY // 4 + seconds)
        self.reached["time"] += 1

    @rule(amount=st.integers(1, ETHER))
    def rewards(self, amount: int) -> None:
        payer, vault = self.scene.roles.avs, self.suite.vault
        self.scene.world.fund(payer, wsteth=amount)
        self.wsteth.approve(vault.address, amount, sender=payer)
        self._done("rewards", vault.pay_rewards(amount, sender=payer))

    @rule(amount=st.integers(1, ETHER), where=st.sampled_from(["vault", "market", "router"]))
    def donate(self, amount: int, where: str) -> None:
        """Tokens sent without a call change nothing that the suite says."""
        before = self._view()
        giver, target = self.scene.roles.avs, getattr(self.suite, where)
        token = self.wsteth if where == "vault" else self.weth
        self.scene.world.fund(giver, wsteth=amount, weth=amount)
        token.transfer(target.address, amount, sender=giver)
        self.donated[where] += amount
        after = self._view()
        assert after.vault == before.vault
        assert after.oracle == before.oracle
        assert after.market.state == before.market.state
        assert after.positions == before.positions
        self.reached["donation"] += 1

    # What must hold after every step

    @invariant()
    def holds(self) -> None:
        view = self._view()
        market, vault, state = view.market, view.vault, view.market.state
        debts = sum(position.debt for position in view.positions)
        rounding = len(view.positions)
        virtual = 10**6 * (state.borrow_assets + 1) // (state.borrow_shares + 10**6) + 1
        assert debts - rounding <= state.borrow_assets <= debts + virtual, "SOLV-1"
        empty, idle, shares = self._balances()
        claims = [
            share * (state.supply_assets + 1) // (state.supply_shares + 10**6) for share in shares
        ]
        assert sum(claims) <= state.supply_assets, "SOLV-2"
        # What is not held yet are the protocol's shares of interest that no action has booked.
        assert sum(shares) <= state.supply_shares, "VAULT-9"
        held = market.loan_held - self.donated["market"]
        assert held >= state.supply_assets - state.borrow_assets, "SOLV-3"
        assert held == self.market_flow, "market conservation"
        collateral = sum(position.collateral for position in view.positions)
        assert market.collateral_held == collateral, "SOLV-4"
        assert idle == vault.idle + self.donated["vault"], "idle is held"
        assert self.vault_flow == vault.total_assets + vault.locked_profit, "VAULT-8"
        booked = sum(adapter.booked for adapter in vault.adapters)
        assert vault.total_assets == vault.idle + booked - vault.locked_profit
        assert vault.live_rate <= vault.rate, "live rate above booked rate"
        for position in view.positions:
            assert position.collateral or not position.debt, "BAD-4"
        assert empty == [self.donated["router"], 0, 0, 0, 0, 0], "ROUT-1"
        rate, lender_price = self._rates()
        assert rate >= self.rate or self.loss_seen, "VAULT-6: rate fell without a loss"
        assert lender_price >= self.lender_price or self.lenders_loss_seen, "BAD-3"
        self.rate, self.lender_price = rate, lender_price
        self.loss_seen = self.lenders_loss_seen = False

    # Inside

    def _view(self) -> Any:
        return self.suite.snapshot(*self.loopers)

    def _rates(self) -> tuple[int, int]:
        """Booked vault rate, and assets for 1e24 lender shares: large, to see a wei."""
        rate, price = self.chain.read_batch(
            [self.suite.vault.rate.build(), self.suite.market.convertToAssets.build(10**24)]
        )
        return rate, price

    def _balances(self) -> tuple[list[int], int, list[int]]:
        """Of router and liquidator in each token; the vault's wstETH; all lenders' shares."""
        helpers = [self.suite.router.address, self.suite.liquidator.address]
        tokens = [self.weth, self.wsteth, self.suite.vault]
        market = self.suite.market
        lenders = [*self.lenders, market.address]
        found = self.chain.read_batch(
            [
                *[token.balanceOf.build(helper) for helper in helpers for token in tokens],
                self.wsteth.balanceOf.build(self.suite.vault.address),
                *[market.balanceOf.build(lender) for lender in lenders],
            ]
        )
        return found[:6], found[6], found[7:]

    def _borrow_error(self, view: Any, position: Any, borrow: int, equity: int) -> str | None:
        """What a borrower's `adjust` must revert with, in the market's order, or whose string."""
        if borrow > view.market.cash:
            return "market: not enough cash"
        if view.oracle.borrow_price == 0:
            return "oracle"
        debt = position.debt + borrow
        if debt < MIN_DEBT:
            return "market: debt below minimum"
        bought = borrow * WAD // self.wsteth.stEthPerToken() if equity else 0
        lrt = self.suite.vault.previewDeposit(equity + bought) if equity else 0
        worth = (position.collateral + lrt) * view.oracle.borrow_price // PRICE_SCALE
        # A wei of rounding on the edge may go either way.
        if abs(debt * WAD - worth * MAX_LTV) < 10**21:
            return "edge"
        return "market: unhealthy" if debt * WAD > worth * MAX_LTV else None

    def _demand(self, expected: str | None, what: str, send: Callable[[], Receipt]) -> bool:
        """Send, and demand the revert, or that there is none; whether it succeeded."""
        receipt, refusal = attempt(send)
        if receipt:
            assert expected in (None, "edge"), f"{what} succeeded, expected {expected}"
            self._done(what, receipt)
            return True
        known = {refusal, refusal.split(":")[0], "edge"}
        assert expected in known, f"{what}: {refusal}, expected {expected}"
        self.reached[f"{what} refused"] += 1
        return False

    def _liquidate_by_contract(self, who: int, position: Any) -> None:
        """With no capital; where neither exit can take it all, the market's own way stays."""
        owner, liquidator = self.loopers[who], self.scene.roles.stranger
        had = self.weth.balanceOf(liquidator)
        for route in (steps.REDEEM, steps.SWAP):
            receipt, refusal = attempt(
                partial(
                    self.suite.liquidator.liquidate,
                    self.suite.market.address,
                    owner,
                    UNLIMITED,
                    route,
                    0,
                    sender=liquidator,
                )
            )
            if not receipt:
                assert refusal in EXIT_LIMITS | {"liquidator: sale below repayment"}
                continue
            profit = receipt.events[-1].args["profit"]
            assert self.weth.balanceOf(liquidator) == had + profit
            self.reached["liquidate by contract"] += 1
            self._after_liquidation(receipt, who, position)
            return

    def _after_liquidation(self, receipt: Receipt, who: int, before: Any) -> None:
        self._done("liquidate", receipt)
        event = next(e for e in receipt.events if e.name == "Liquidated")
        after = self._view().positions[who]
        # LIQ-2, LIQ-3, LIQ-5, LIQ-8.
        assert after.collateral == before.collateral - event.args["seized"]
        assert after.debt <= before.debt - event.args["repaid"] + 1
        assert after.debt == 0 or after.debt >= MIN_DEBT - 1
        if event.args["bad_debt"]:
            assert (after.collateral, after.debt) == (0, 0)
            self.reached["bad debt"] += 1
        else:
            # LIQ-5.
            assert after.collateral * before.debt >= before.collateral * after.debt
            self.reached["partial liquidation"] += after.debt > 0
            self.reached["whole liquidation"] += after.debt == 0

    def _done(self, what: str, receipt: Receipt) -> None:
        self.reached[what] += 1
        for event in receipt.events:
            self._book(event)

    def _book(self, event: Any) -> None:
        args = event.args
        if event.address == self.suite.vault.address:
            self.vault_flow += {
                "Deposit": lambda: args["assets"],
                "Withdraw": lambda: -args["assets"],
                "RewardsPaid": lambda: args["amount"],
                "Synced": lambda: args["gain"] - args["loss"],
            }.get(event.name, lambda: 0)()
            self.loss_seen |= event.name == "Synced" and args["loss"] > 0
        if event.address == self.suite.market.address:
            self.market_flow += {
                "Deposit": lambda: args["assets"],
                "Withdraw": lambda: -args["assets"],
                "Adjusted": lambda: -args["debt_delta"],
                "Liquidated": lambda: args["repaid"],
            }.get(event.name, lambda: 0)()
            self.lenders_loss_seen |= event.name == "Liquidated" and args["lenders_loss"] > 0

    def _logs(self, address: str) -> list[dict[str, Any]]:
        logs: list[dict[str, Any]] = self.chain.rpc(
            "eth_getLogs", [{"address": address, "fromBlock": "0x0", "toBlock": "latest"}]
        )
        return logs


# Reached at least so often by the seed below, or the machine says nothing about them.
MUST_REACH = {
    "lend": 20,
    "withdraw": 10,
    "restake": 20,
    "redeem": 10,
    "stake": 5,
    "unstake": 5,
    "bring home": 3,
    "sync": 10,
    "open": 20,
    "open refused": 3,
    "close": 5,
    "repay": 5,
    "borrow": 5,
    "borrow refused": 2,
    "slash": 5,
    "slash with exits in flight": 1,
    "liquidate": 3,
    "liquidate by contract": 1,
    "partial liquidation": 1,
    "whole liquidation": 1,
    "bad debt": 1,
    "healthy refused": 5,
    "barely healthy refused": 1,
    "market below fundamental": 5,
    "rewards": 5,
    "donation": 5,
    "time": 10,
}


def test_protocol_machine__any_order__solvent_and_conserved(forked: Deployment) -> None:
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: ProtocolMachine(forked, reached),
        settings=settings(
            max_examples=150,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    short = {what: reached[what] for what, least in MUST_REACH.items() if reached[what] < least}
    assert not short, f"hardly reached: {short} of {dict(reached)}"
