"""What each venue logs when a position is raised or lowered through it, and when rights change.

What protocols log of their own books (rates, indices, shares) is taken as it comes: of such an
event only emitter and name are compared. Every transfer, allowance, right and amount is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relever.chain import Contract, Event
from tests.lrt_paths import NOBODY, Log
from tests.venues import Aave, Morpho, Ours, Place, Places

# Of these nothing but that they were logged, and of those all but a figure of the books.
_BOOKS = {"ReserveDataUpdated", "Mint", "Burn", "AccrueInterest", "BorrowRateUpdate", "Accrued"}
_FIGURES = {"shares", "borrowRate", "index", "usedNonce", "id"}


def told(
    events: Sequence[Event], in_books: Sequence[str] = ()
) -> list[tuple[str, str, dict[str, Any]]]:
    """Emitter, name and arguments of each event but for the books' figures.

    Args:
        in_books: tokens of which a transfer's amount is such a figure.
    """

    def shown(event: Event) -> dict[str, Any]:
        hidden = {"value"} if event.name == "Transfer" and event.address in in_books else set()
        if event.name in _BOOKS:
            return {}
        return {k: v for k, v in event.args.items() if k not in _FIGURES | hidden}

    return [(event.address, event.name, shown(event)) for event in events]


class VenueLog:
    """The events of one place, for one owner."""

    def __init__(self, places: Places, place: Place, owner: str) -> None:
        self.log = Log(places.scene)
        self.place, self.owner = place, owner
        self.router, self.entry, self.pool = (
            places.router.address,
            place.entry.address,
            place.pool.address,
        )
        self.weth, self.lrt = self.log.weth, self.log.vault

    def given(self, collateral: int = 0, debt: int = 0) -> list[Event]:
        """The right by signature, in a call that needs this much."""
        place = self.place
        if isinstance(place, Morpho):
            return self._morpho_right(True)
        if isinstance(place, Aave):
            if collateral:
                return [_aave_approval(place.a_token, self.owner, self.entry, collateral)]
            return [self._credit(place, debt)] if debt else []
        return self._our_right(True)

    def taken_back(self) -> list[Event]:
        """The right, at the end of the call."""
        if isinstance(self.place, Morpho):
            return self._morpho_right(False)
        return [] if isinstance(self.place, Aave) else self._our_right(False)

    def raised(
        self, collateral: int, debt: int, seat: str, made: Sequence[Event], accrues: bool = False
    ) -> list[Event]:
        """The loan to `seat`, what the router makes of it there, and the collateral into it.

        Args:
            made: from the loan's arrival to the collateral's being at the entry.
            accrues: whether interest is booked first.
        """
        place, log, entry = self.place, self.log, self.entry
        if isinstance(place, Ours):
            said = log.adjusted(self.owner, self.router, collateral, debt, seat)
            lent = [log.moved(self.weth, entry, seat, debt)]
            return [*self._accrued(accrues), *lent, *made, said]
        handed = [*made, log.approved(self.lrt, entry, self.pool, collateral)]
        if isinstance(place, Morpho):
            loan = {"caller": entry, "token": self.weth.address, "assets": debt}
            supplied = {"caller": entry, "onBehalf": self.owner, "assets": collateral}
            borrowed = {
                "caller": entry,
                "onBehalf": self.owner,
                "receiver": entry,
                "assets": debt,
            }
            return [
                Event("FlashLoan", loan, self.pool),
                log.moved(self.weth, self.pool, entry, debt),
                log.moved(self.weth, entry, seat, debt),
                *handed,
                Event("SupplyCollateral", supplied, self.pool),
                log.approved(self.lrt, entry, self.pool, 0),
                log.moved(self.lrt, entry, self.pool, collateral),
                *self._morpho_accrued(place, accrues),
                Event("Borrow", borrowed, self.pool),
                log.moved(self.weth, self.pool, entry, debt),
                log.approved(self.weth, entry, self.pool, debt),
                log.moved(self.weth, entry, self.pool, debt),
            ]
        assert isinstance(place, Aave)
        return self._raised_at_aave(place, collateral, debt, seat, handed)

    def lowered(
        self,
        collateral: int,
        debt: int,
        seat: str,
        made: Sequence[Event],
        all_of_it: bool,
        called_back: bool = True,
        accrues: bool = True,
    ) -> list[Event]:
        """The collateral to `seat`, what the router makes of it, and the repayment out of that.

        Args:
            all_of_it: whether nothing of the collateral is left.
            called_back: else the repayment is there beforehand.
            accrues: whether interest is booked first.
        """
        place, log, entry = self.place, self.log, self.entry
        paid = [log.moved(self.weth, self.router, entry, debt)]
        if isinstance(place, Ours):
            out = [log.moved(self.lrt, entry, seat, collateral)]
            said = log.adjusted(self.owner, self.router, -collateral, -debt, seat)
            return [*self._accrued(accrues), *out, *made, *paid, said]
        if isinstance(place, Morpho):
            repaid = {"caller": entry, "onBehalf": self.owner, "assets": debt}
            withdrawn = {
                "caller": entry,
                "onBehalf": self.owner,
                "receiver": seat,
                "assets": collateral,
            }
            return [
                *self._morpho_accrued(place, accrues),
                Event("Repay", repaid, self.pool),
                Event("WithdrawCollateral", withdrawn, self.pool),
                log.moved(self.lrt, self.pool, seat, collateral),
                *made,
                *paid,
                log.approved(self.weth, entry, self.pool, debt),
                log.moved(self.weth, entry, self.pool, debt),
            ]
        assert isinstance(place, Aave)
        changed = self._lowered_at_aave(place, collateral, debt, seat, all_of_it)
        if not called_back:
            return [*paid, *changed]
        lender = place.entry.LENDER()
        return [
            log.moved(self.weth, lender, entry, debt),
            *changed,
            *made,
            *paid,
            log.approved(self.weth, entry, lender, debt),
            log.moved(self.weth, entry, lender, debt),
            Event("FlashLoan", {"receiver": entry, "amount": debt}, lender),
        ]

    def _our_right(self, given: bool) -> list[Event]:
        said = {"owner": self.owner, "manager": self.router, "authorized": given}
        return [Event("AuthorizationSet", said, self.entry)]

    def _morpho_right(self, given: bool) -> list[Event]:
        used = {"caller": self.entry, "authorizer": self.owner}
        said = {**used, "authorized": self.entry, "newIsAuthorized": given}
        return [
            Event("IncrementNonce", used, self.pool),
            Event("SetAuthorization", said, self.pool),
        ]

    def _credit(self, place: Aave, amount: int) -> Event:
        said = {"fromUser": self.owner, "toUser": self.entry, "asset": self.weth.address}
        name = "BorrowAllowanceDelegated"
        return Event(name, {**said, "amount": amount}, place.debt_token.address)

    def _accrued(self, accrues: bool) -> list[Event]:
        """Our market's interest: the protocol's part of it in shares."""
        if not accrues:
            return []
        return [
            Event("Transfer", {"sender": NOBODY, "receiver": self.entry}, self.entry),
            Event("Accrued", {}, self.entry),
        ]

    def _morpho_accrued(self, place: Morpho, accrues: bool) -> list[Event]:
        if not accrues:
            return []
        irm = place.market.parameters[3]
        return [Event("BorrowRateUpdate", {}, irm), Event("AccrueInterest", {}, self.pool)]

    def _raised_at_aave(
        self, place: Aave, collateral: int, debt: int, seat: str, handed: Sequence[Event]
    ) -> list[Event]:
        log, entry, pool = self.log, self.entry, self.pool
        bank = place.pool.getReserveData(self.weth.address)[8]
        a_token, debt_token = place.a_token.address, place.debt_token.address
        behalf = {"user": entry, "onBehalfOf": self.owner, "referralCode": 0}
        loan = {"target": entry, "initiator": entry, "asset": self.weth.address, "amount": debt}
        kind = {"interestRateMode": 2}
        supplied = {"reserve": self.lrt.address, **behalf, "amount": collateral}
        borrowed = {"reserve": self.weth.address, **behalf, **kind, "amount": debt}
        used = {"reserve": self.lrt.address, "user": self.owner}
        return [
            log.moved(self.weth, bank, entry, debt),
            log.moved(self.weth, entry, seat, debt),
            *handed,
            Event("ReserveDataUpdated", {}, pool),
            log.approved(self.lrt, entry, pool, 0),
            log.moved(self.lrt, entry, a_token, collateral),
            _aave_moved(place.a_token, NOBODY, self.owner, collateral),
            Event("Mint", {}, a_token),
            Event("ReserveUsedAsCollateralEnabled", used, pool),
            Event("Supply", supplied, pool),
            self._credit(place, 0),
            _aave_moved(place.debt_token, NOBODY, self.owner, debt),
            Event("Mint", {}, debt_token),
            Event("ReserveDataUpdated", {}, pool),
            Event("Borrow", borrowed, pool),
            Event("FlashLoan", {**loan, **kind, "premium": 0, "referralCode": 0}, pool),
        ]

    def _lowered_at_aave(
        self, place: Aave, collateral: int, debt: int, seat: str, all_of_it: bool
    ) -> list[Event]:
        log, entry, pool, lrt = self.log, self.entry, self.pool, self.lrt.address
        bank = place.pool.getReserveData(self.weth.address)[8]
        a_token, debt_token = place.a_token, place.debt_token.address
        repaid = {"reserve": self.weth.address, "user": self.owner, "repayer": entry}
        withdrawn = {"reserve": lrt, "user": entry, "to": seat, "amount": collateral}
        off = Event("ReserveUsedAsCollateralDisabled", {"reserve": lrt, "user": self.owner}, pool)
        mine = {"reserve": lrt, "user": entry}
        through = {"from": self.owner, "to": entry, "value": collateral}
        return [
            log.approved(self.weth, entry, pool, debt),
            # Less by the interest since the last change, which is booked by this very event.
            Event("Transfer", {"from": self.owner, "to": NOBODY}, debt_token),
            Event("Burn", {}, debt_token),
            Event("ReserveDataUpdated", {}, pool),
            log.moved(self.weth, entry, bank, debt),
            Event("Repay", {**repaid, "amount": debt, "useATokens": False}, pool),
            _aave_approval(a_token, self.owner, entry, 0),
            _aave_moved(a_token, self.owner, entry, collateral),
            *([off] if all_of_it else []),
            Event("ReserveUsedAsCollateralEnabled", mine, pool),
            Event("BalanceTransfer", through, a_token.address),
            Event("ReserveDataUpdated", {}, pool),
            Event("ReserveUsedAsCollateralDisabled", mine, pool),
            _aave_moved(a_token, entry, NOBODY, collateral),
            Event("Burn", {}, a_token.address),
            log.moved(self.lrt, a_token.address, seat, collateral),
            Event("Withdraw", withdrawn, pool),
        ]


def _aave_moved(token: Contract, sender: str, receiver: str, amount: int) -> Event:
    return Event("Transfer", {"from": sender, "to": receiver, "value": amount}, token.address)


def _aave_approval(token: Contract, owner: str, spender: str, amount: int) -> Event:
    said = {"owner": owner, "spender": spender, "value": amount}
    return Event("Approval", said, token.address)
