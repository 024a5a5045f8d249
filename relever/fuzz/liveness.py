"""What must still be possible, tried on the chain and then undone: nobody is ever locked in.

Nothing here asks the model. Who is unhealthy is liquidated; then, as if that had not been, all that
lowers risk is tried; and then, as if that had not been either, everybody leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, NoReturn

from relever.baselayer import Roles
from relever.chain import Call, Contract, Ran, Revert
from relever.fuzz.invariants.backstop import BACKSTOP_SHARES
from relever.fuzz.invariants.base import LRT, PRICE_SCALE, SHARES, WAD, Books
from relever.fuzz.invariants.leveraged import LEVERAGED_SHARES
from relever.fuzz.player import Actor, Violation
from relever.model.backstop import BACKSTOP
from relever.model.callback import SCRIPTED
from relever.model.market import MARKET
from relever.model.parts import EIGENLAYER, PEOPLE, SYMBIOTIC, VAULT
from relever.model.queue import QUEUE
from relever.model.tokens import UNLIMITED

SENTENCES = {
    "LIQ-6": "Who is unhealthy at the fundamental price can be liquidated by an offer of the whole "
    "debt, which gets at least what it pays where the collateral covers debt and base bonus.",
    "AC-4": "Collateral can be added, debt repaid in part, and a position made smaller in "
    "proportion, whatever is paused, stale, unreadable or delisted.",
    "WQ-2": "What was set aside for a request is paid to whom it is for, once and in full.",
    "WQ-8": "All claims can be paid, one after the other: the queue holds what it says.",
    "WQ-9": "Maintenance never reverts for lack of work, and anybody can finish a matured exit.",
    "EXIT-1": "Every borrower can repay all that he owes and take all collateral out.",
    "EXIT-2": "Once all debts are repaid, every lender gets what the views say, and all together "
    "get everything but what rounding and the virtual shares bear.",
    "EXIT-3": "Who holds a leveraged token can redeem all his shares for what the view says, "
    "whatever the feed and the market say.",
    "EXIT-4": "Who has shares of the backstop can ask for all they are worth, and is paid when the "
    "cash reaches him.",
}
# Who has more ether than all debts can ever be.
_RICH = "lido_oracle"
# Who gets what is claimed, and has nothing to do with it.
_RECEIVER = "keeper"
# Units of a repayment that buy nothing.
_UNPAID = 2
# What people have shares of beside LRT and loans, and in which table.
_SHARES = (*LEVERAGED_SHARES.items(), (BACKSTOP, BACKSTOP_SHARES))
# Whoever has a key. Contracts may have been given anything, and do nothing with it.
_ACCOUNTS = frozenset(field.name for field in fields(Roles))


def check_liveness(actor: Actor) -> None:
    """All of it; the chain is left as it was. Raises `Violation`."""
    trial = Trial(actor)
    with trial.undone():
        trial.fund()
        with trial.undone():
            trial.liquidations()
        with trial.undone():
            trial.less_risk()
        trial.maintenance()
        trial.claims()
        trial.matured_exits()
        trial.holder_leaves()
        trial.borrowers_leave()
        trial.lenders_leave()


class Trial:
    """Calls by whoever has a right to them, on one chain."""

    def __init__(self, actor: Actor) -> None:
        self._look, self._facts, self._chain = actor.look, actor.facts, actor.chain
        self._contracts, self._addresses = actor.deployed.contracts, actor.deployed.addresses
        self._manager: Contract = actor.deployed.deployment.world.core.delegation_manager
        look = actor.look
        # Collateral and debt of whoever has either.
        self._positions = {
            owner: look.position(owner) for owner, has in look.positions.items() if any(has)
        }
        # One who holds one of the share tokens, which are taken in turn, and who does, too.
        self._share, table = _SHARES[look.now % len(_SHARES)]
        holders = self._holders(table)
        self._holder = holders[look.now % len(holders)] if holders else None
        self._held = look.entry(table, self._holder) if self._holder else 0

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo at the end whatever was done."""
        snapshot: Any = self._chain.snapshot()
        try:
            yield
        finally:
            self._chain.revert(snapshot)

    def fund(self) -> None:
        """Whoever will pay has WETH for it, and lets the market take it.

        What somebody owns and has allowed is his own affair.
        """
        needed: dict[str, int] = {}
        for owner, (_, debt) in self._positions.items():
            if debt:
                for payer in (self._payer(owner), "liquidator"):
                    needed[payer] = needed.get(payer, 0) + 2 * debt
        if self._holder:
            debt = self._positions.get(self._share, (0, 0))[1]
            needed[self._holder] = needed.get(self._holder, 0) + 2 * debt
        if not needed:
            return
        self._prepare("weth", "deposit", _RICH, ether=sum(needed.values()))
        for payer, amount in needed.items():
            self._prepare("weth", "transfer", _RICH, self._at(payer), amount)
            self._prepare("weth", "approve", payer, self._at(MARKET), UNLIMITED)
        if self._holder:
            self._prepare("weth", "approve", self._holder, self._at(self._share), UNLIMITED)

    def liquidations(self) -> None:
        """Each that is due, by somebody who offers the whole debt."""
        fundamental, terms = self._look.sight.prices.fundamental, self._facts.terms
        hand_over = self._look.hand_over
        for owner, (collateral, debt) in self._positions.items():
            if debt * WAD <= collateral * fundamental // PRICE_SCALE * terms.threshold:
                continue
            # Rounding at those before may have changed it by a unit.
            debt = self._debt(owner)
            arguments = self._at(owner), debt, 0, b""
            repaid, seized = self._do("LIQ-6", MARKET, "liquidate", "liquidator", *arguments)
            covered = collateral * hand_over // WAD >= debt * (WAD + terms.base_bonus)
            if covered and (seized + 1) * hand_over < (repaid - _UNPAID) * PRICE_SCALE:
                self._fail("LIQ-6", f"For {repaid:_} of {owner} one gets {seized:_}")

    def less_risk(self) -> None:
        """By the owner, or somebody else where that is a contract."""
        if not self._positions:
            return
        held = self._look.entries(LRT)
        giver = max(PEOPLE, key=lambda name: held.get(name, 0))
        added = min(held.get(giver, 0) // len(self._positions), WAD)
        self._do("AC-4", VAULT, "approve", giver, self._at(MARKET), UNLIMITED)
        for owner, (collateral, debt) in self._positions.items():
            place = self._at(owner)
            if debt > 4 * _UNPAID:
                debt = self._debt(owner)
                part = debt // 2 + _UNPAID
                if self._acts(owner):
                    # The debt that is left is rounded up, so a little more than half is repaid.
                    change = place, -(collateral // 2), -part, place
                    self._do("AC-4", MARKET, "adjust", self._payer(owner), *change)
                part = debt // 4
                repaid = self._do("AC-4", MARKET, "repay", self._payer(owner), part, place)
                if repaid != part:
                    self._fail("AC-4", f"Of {part:_} only {repaid:_} are repaid for {owner}")
            if added:
                self._do("AC-4", MARKET, "supply_collateral", giver, added, place)

    def maintenance(self) -> None:
        """By a stranger."""
        for contract, function, arguments in (
            (VAULT, "sync", ()),
            (MARKET, "accrue", ()),
            ("oracle", "poke", ()),
            (QUEUE, "finalize", (0,)),
        ):
            self._do("WQ-9", contract, function, "stranger", *arguments)

    def claims(self) -> None:
        """Each by its controller, for somebody else."""
        due = {
            number: amount
            for number, amount in self._look.entries("queue._requests.claimable_assets").items()
            if amount
        }
        if not due:
            return
        controllers, receiver = self._look.entries("queue._requests.controller"), _RECEIVER
        balance = self._contracts["wsteth"].balanceOf.build(self._at(receiver))
        before, paid = self._chain.read(balance), 0
        for number, claimable in due.items():
            who = self._facts.names.get(controllers[number])
            if who is None or not self._acts(who):
                continue
            # The first that fails for want of money fails because the others were paid.
            identifier = "WQ-8" if paid else "WQ-2"
            said = self._do(identifier, QUEUE, "claim", who, number, self._at(receiver))
            if said != claimable:
                self._fail("WQ-2", f"{who} gets {said:_} for {claimable:_}")
            paid += claimable
        came = self._chain.read(balance) - before
        if came != paid:
            self._fail("WQ-2", f"{came:_} are paid for {paid:_}")

    def matured_exits(self) -> None:
        """Each by a stranger, where the adapter answers and the vault still knows it."""
        # An unreadable adapter counts as nothing here, and would not be tried anyway.
        if not any(adapter.exiting for adapter in self._look.sight.adapters):
            return
        known = self._look.entries("vault.vault_books._standing")
        for adapter, matured in ((SYMBIOTIC, self._from_symbiotic), (EIGENLAYER, self._from_eigen)):
            if not known.get(adapter):
                continue
            try:
                self._chain.ask(self._contracts[adapter].exiting.build())
            except Revert:
                continue
            for exit_id in matured():
                arguments = self._at(adapter), exit_id
                self._do("WQ-9", VAULT, "finish_exit", "stranger", *arguments)

    def _from_symbiotic(self) -> list[int]:
        """Epochs of exits that are over."""
        found = self._chain.read(self._contracts[SYMBIOTIC].open_exits.build())
        if not found:
            return []
        now = self._chain.read(self._contracts["symbiotic_vault"].currentEpoch.build())
        return [epoch for epoch in found if epoch < now]

    def _from_eigen(self) -> list[int]:
        """Roots of withdrawals that can no longer be slashed."""
        manager, chain = self._manager, self._chain
        roots = chain.read(manager.getQueuedWithdrawalRoots.build(self._at(EIGENLAYER)))
        if not roots:
            return []
        delay = chain.read(manager.minWithdrawalDelayBlocks.build())
        began = [chain.read(manager.getQueuedWithdrawal.build(r))[0].startBlock for r in roots]
        last = self._look.sight.block
        return [
            int.from_bytes(root, "big")
            for root, start in zip(roots, began, strict=True)
            if start + delay < last
        ]

    def holder_leaves(self) -> None:
        """One with all that he has, of a leveraged token or the backstop."""
        if not self._holder:
            return
        if self._share == BACKSTOP:
            self._leave_backstop(self._holder, self._held)
        else:
            self._redeem(self._share, self._holder, self._held)

    def _redeem(self, name: str, holder: str, shares: int) -> None:
        contract, place = self._contracts[name], self._at(holder)
        try:
            said = tuple(self._chain.read(contract.preview_redeem.build(shares)))
        except Revert as failure:
            self._fail("EXIT-3", f"What {holder} would get is not said: {failure.reason!r}")
        arguments = shares, UNLIMITED, 0, place, b""
        found = tuple(self._do("EXIT-3", name, "redeem", holder, *arguments))
        if found != said:
            self._fail("EXIT-3", f"{holder} gets {found} for {shares:_} of {name}, not {said}")

    def _leave_backstop(self, holder: str, shares: int) -> None:
        pool, place = self._contracts[BACKSTOP], self._at(holder)
        try:
            worth = self._chain.read(pool.previewRedeem.build(shares))
        except Revert as failure:
            # What it has bought cannot be valued while an adapter cannot be read.
            if failure.reason == "vault: adapter unreadable":
                return
            self._fail("EXIT-4", f"What {holder} would get is not said: {failure.reason!r}")
        if not worth:
            return
        asked = self._do("EXIT-4", BACKSTOP, "request_exit", holder, shares, place, place)
        cash, waiting = (self._chain.read(view.build()) for view in (pool.cash, pool.waiting_worth))
        self._do("EXIT-4", BACKSTOP, "serve", holder, UNLIMITED)
        alone = not self._look.word("backstop.line.waiting_shares")
        if alone and cash >= waiting and self._chain.read(pool.head.build()) <= asked:
            self._fail("EXIT-4", f"{holder} is not paid, though there is cash for {worth:_}")

    def _holders(self, table: str) -> list[str]:
        """Who has shares and can do something with them."""
        return [n for n, held in self._look.entries(table).items() if held and n in _ACCOUNTS]

    def borrowers_leave(self) -> None:
        """All of them."""
        for owner, (collateral, debt) in self._positions.items():
            place = self._at(owner)
            if debt:
                self._do("EXIT-1", MARKET, "repay", self._payer(owner), 2 * debt, place)
            if collateral and self._acts(owner):
                self._do("EXIT-1", MARKET, "withdraw_collateral", owner, collateral, place, place)

    def lenders_leave(self) -> None:
        """All but the protocol, which has fee shares, and contracts that were given shares."""
        lenders = {
            name: shares
            for name, shares in self._look.entries(SHARES).items()
            if shares and self._acts(name)
        }
        if not lenders:
            return
        market = self._contracts[MARKET]
        state = self._chain.read(market.state.build())
        books = Books(state.supply_assets, state.supply_shares)
        # Interest on the virtual shares is owed by nobody, and so not there.
        missing, due, paid = state.borrow_assets, 0, 0
        for lender, shares in lenders.items():
            place = self._at(lender)
            most = self._chain.read(market.maxRedeem.build(place))
            worth = books.assets_down(shares)
            if books.assets_down(shares - most) > missing + 1:
                self._fail("EXIT-2", f"{lender} may redeem {most:_} of {shares:_} shares")
            due += worth
            if most:
                paid += self._do("EXIT-2", MARKET, "redeem", lender, most, place, place)
        if paid + missing + len(lenders) < due:
            self._fail("EXIT-2", f"All together get {paid:_} of {due:_}")

    # How

    def _at(self, name: str) -> str:
        return self._addresses[name]

    def _debt(self, owner: str) -> int:
        """As it is by now."""
        position = self._contracts[MARKET].position.build(self._at(owner))
        debt: int = self._chain.read(position)[1]
        return debt

    def _acts(self, name: str) -> bool:
        """Whether it does things of its own accord: an account, or the contract that does all."""
        return name in _ACCOUNTS or name == SCRIPTED

    def _payer(self, owner: str) -> str:
        """Who repays: anyone may, for what cannot act."""
        return owner if self._acts(owner) else "depositor"

    def _prepare(
        self, contract: str, function: str, who: str, *arguments: Any, ether: int = 0
    ) -> None:
        """What must have been done before, with a token that is not ours. Raises `RuntimeError`."""
        method = getattr(self._contracts[contract], function)
        call = method.build(*arguments, sender=self._at(who), value=ether)
        failed = self._run(call, who)[0].failed
        if failed is not None:
            raise RuntimeError(f"{call.label} by {who} fails: {failed}; nothing can be tried")

    def _do(self, identifier: str, contract: str, function: str, who: str, *arguments: Any) -> Any:
        """Do what must be possible; what it returns."""
        method = getattr(self._contracts[contract], function)
        call: Call = method.build(*arguments, sender=self._at(who))
        ran, output = self._run(call, who)
        if ran.failed is not None:
            self._fail(identifier, f"{who}: {contract}.{function}{arguments}: {ran.failed!r}")
        assert call.function is not None
        return call.function.decode(output)

    def _run(self, call: Call, who: str) -> tuple[Ran, bytes]:
        """A transaction; by a contract it is one of somebody who has it call."""
        if who != SCRIPTED:
            ran = self._chain.run(call)
            return ran, ran.output
        method = self._contracts[SCRIPTED].run
        wrapped: Call = method.build(call.to, call.data, sender=self._at("stranger"))
        ran = self._chain.run(wrapped)
        assert wrapped.function is not None
        return ran, b"" if ran.failed is not None else wrapped.function.decode(ran.output)

    @staticmethod
    def _fail(identifier: str, found: str) -> NoReturn:
        raise Violation(identifier, SENTENCES[identifier], f"{found}.")
