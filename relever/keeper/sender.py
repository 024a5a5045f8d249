"""Sending, and what becomes of what was sent: mined, taken back, stuck, replaced, lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_typing import HexStr
from eth_utils.address import to_checksum_address

from relever.keeper.acts import UPKEEP
from relever.keeper.bid import Bid, Skip, likely_fee, shown
from relever.keeper.config import Policy
from relever.keeper.journal import CANCEL, Attempt, Entry, Journal
from relever.keeper.logs import Log
from relever.keeper.metrics import Metrics
from relever.keeper.node import Distrusted, Head, Node, Refused
from relever.keeper.suite import Suite

DAY = 86_400
_TRANSFER_GAS = 21_000


class Sender:
    """One account on one node. Nothing leaves it that is not in the journal."""

    def __init__(
        self,
        node: Node,
        suite: Suite,
        account: LocalAccount,
        chain_id: int,
        journal: Journal,
        policy: Policy,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._node, self._suite = node, suite
        self._account, self._chain_id = account, chain_id
        self._journal, self._policy = journal, policy
        self._log, self._metrics = log, metrics
        self._nonce = 0
        self._balance = 0

    # What became of it

    def reconcile(self, head: Head, other: Node | None, *, taken_back: bool) -> None:
        """Compare the journal with the chain.

        Args:
            other: a second node to compare with.
            taken_back: whether blocks were: then what was mined is looked for again, which else is
                done once more before it counts as final.

        Raises:
            Distrusted: the node's nonce of the account cannot be.
            NodeError: no answer.
        """
        account = self._account.address
        self._nonce = self._node.nonce(account)
        self._balance = self._node.balance(account)
        self._metrics.balance.set(self._balance / 10**18)
        # Whoever is mined must be looked at first: his nonce is used for a reason that is known.
        for entry in self._journal.entries:
            old = head.number - entry.block >= self._policy.confirmations
            if taken_back or old or not entry.mined:
                self._look(entry, head)
        self._check_nonce(other)
        self._metrics.in_flight.set(len(self._journal.in_flight))

    def _look(self, entry: Entry, head: Head) -> None:
        found = self._receipt(entry)
        if found is not None:
            self._was_mined(entry, found)
            if head.number - entry.block >= self._policy.confirmations:
                self._journal.finish(entry.nonce)
            return
        if entry.mined:
            self._log.warn("transaction taken back", nonce=entry.nonce, hash=entry.mined)
            self._journal.unmined(entry.nonce)

    def _receipt(self, entry: Entry) -> dict[str, Any] | None:
        # The last is the likeliest winner.
        for attempt in reversed(entry.attempts):
            found = self._node.receipt(attempt.hash)
            if found is not None:
                return found
        return None

    def _was_mined(self, entry: Entry, receipt: dict[str, Any]) -> None:
        winner, block = str(receipt["transactionHash"]), int(receipt["blockNumber"], 16)
        if (entry.mined, entry.block) == (winner, block):
            return
        cost = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        failed = receipt["status"] != "0x1"
        again = bool(entry.mined)
        profit = self._suite.profit(receipt["logs"])
        self._journal.mined(entry.nonce, winner, block, cost, failed)
        won = entry.winner
        say = self._log.warn if failed else self._log.info
        say(
            "mined",
            nonce=entry.nonce,
            kind=won.kind,
            target=won.target,
            block=block,
            after=block - won.block,
            hash=winner,
            failed=failed,
            gas_wei=cost,
            profit_wei=profit,
        )
        if not again:
            result = "failed" if failed else "done"
            self._metrics.mined.labels(won.kind, result).inc()
            self._metrics.gas.labels(won.kind).inc(cost / 10**18)
            self._metrics.profit.inc(profit / 10**18)

    def _check_nonce(self, other: Node | None) -> None:
        """The chain's nonce against the journal, which knows of all that the account sent."""
        account, url = self._account.address, self._node.url
        entries, settled = self._journal.entries, self._journal.settled
        if settled < 0 and not entries:
            # The first start: what is pending is not ours.
            pending = self._node.nonce(account, "pending")
            if pending > self._nonce:
                raise Distrusted(
                    f"{pending - self._nonce} transactions of {account} are pending that this "
                    "keeper did not send: wait for them, and give it an account of its own"
                )
            return
        used = max([settled, *(one.nonce + 1 for one in entries if one.mined)])
        least = used if used >= 0 else entries[0].nonce
        if self._nonce < least:
            # A block may have come since it was asked for.
            self._nonce = self._node.nonce(account)
        if self._nonce < least:
            raise Distrusted(
                f"{url} says nonce {self._nonce}, but {least} are used: it is behind or lies"
            )
        if other is not None and (theirs := other.nonce(account)) > self._nonce:
            raise Distrusted(f"{url} says nonce {self._nonce}, {other.url} says {theirs}")
        most = max([least, *(one.nonce + 1 for one in entries)])
        if self._nonce > most or any(e.nonce < self._nonce and not e.mined for e in entries):
            raise Distrusted(
                f"{url} says nonce {self._nonce}, but the journal knows of {least} used: it lies, "
                f"or something else sends from {account}; then stop that, and move the journal away"
            )

    # What is stuck

    def tend(self, head: Head, still: Callable[[Attempt, int], Bid]) -> None:
        """Send again, replace or give up what is in flight. Raises `NodeError`.

        Args:
            still: bids anew for an act that was sent before, on the latest state, and offers so
                many wei per gas at least; raises `Skip` when it is not worth it any more.
        """
        for entry in self._journal.in_flight:
            last = entry.last
            stuck = head.number - last.block >= self._policy.stuck_blocks
            known = self._node.knows(last.hash)
            if known and not stuck:
                continue
            try:
                least = self._bumped(last.fee) if stuck else 0
                bid = None if last.kind == CANCEL else still(last, least)
            except Skip as skip:
                if known:
                    self._cancel(head, entry.nonce, last, str(skip))
                else:
                    self._log.info("given up", nonce=entry.nonce, target=last.target, why=str(skip))
                    self._journal.idle(entry.nonce)
                continue
            if not stuck:
                self._log.warn("sent again: the node has lost it", nonce=entry.nonce)
                self._push(last)
            elif bid is None:
                self._cancel(head, entry.nonce, last, "stuck")
            else:
                self._replace(head, entry, bid)
        self._fill_gap(head)

    def _replace(self, head: Head, entry: Entry, bid: Bid) -> None:
        tip = min(self._bumped(entry.last.tip), bid.fee)
        self._metrics.replaced.labels("stuck").inc()
        self._log.warn("replaced", nonce=entry.nonce, tip_wei=tip, **shown(bid))
        self._keep_and_push(entry.nonce, self._signed(head, entry.nonce, bid, tip))

    def _cancel(self, head: Head, nonce: int, last: Attempt, why: str) -> None:
        """Use the nonce up by a transfer of nothing to the account itself."""
        fee = max(self._bumped(last.fee), likely_fee(head, self._policy))
        self._metrics.replaced.labels("cancelled").inc()
        self._log.warn("cancelled", nonce=nonce, target=last.target, why=why, fee_wei=fee)
        self._use_up(head, nonce, fee, self._bumped(last.tip))

    def _fill_gap(self, head: Head) -> None:
        """A nonce that was given up holds up those after it."""
        free, flying = self._journal.free_nonce(self._nonce), self._journal.in_flight
        waiting = [one for one in flying if one.nonce > free]
        if any(head.number - one.last.block >= self._policy.stuck_blocks for one in waiting):
            fee = max(
                likely_fee(head, self._policy), *(self._bumped(one.last.fee) for one in waiting)
            )
            self._log.warn("nonce filled", nonce=free)
            self._use_up(head, free, fee, self._policy.tip_wei_per_gas)

    def _use_up(self, head: Head, nonce: int, fee: int, tip: int) -> None:
        call = {"to": self._account.address, "data": "0x"}
        fee = min(fee, 2 * self._policy.most_fee_wei_per_gas)
        attempt = self._sign(
            head, nonce, CANCEL, str(nonce), call, 0, _TRANSFER_GAS, fee, min(tip, fee)
        )
        self._keep_and_push(nonce, attempt)

    def _bumped(self, fee: int) -> int:
        return fee + fee * self._policy.bump_per_cent // 100 + 1

    # Sending

    def may_send(self) -> None:
        """Raises `Skip` when nothing should be sent now, whatever it is."""
        policy = self._policy
        if self._balance < policy.least_balance_wei:
            raise Skip("too little ether")
        if len(self._journal.in_flight) >= policy.most_in_flight:
            raise Skip("too many in flight")

    def send(self, head: Head, bid: Bid) -> None:
        """Sign, write down and send. Raises `Skip`; `NodeError` when it may or may not be sent."""
        if why := self.send_all(head, [bid]):
            raise Skip(why[bid.act.target])

    def send_all(self, head: Head, bids: Sequence[Bid]) -> dict[str, str]:
        """The same for many, in this order; why some were not sent, by their targets."""
        attempts, why = [], {}
        for bid in bids:
            try:
                attempts.append(self._begin(head, bid))
            except Skip as skip:
                why[bid.act.target] = str(skip)
        self._journal.keep()
        answers = self._node.ask_all([("eth_sendRawTransaction", [a.raw]) for a in attempts])
        for attempt, answer in zip(attempts, answers, strict=True):
            if isinstance(answer, Refused):
                self._was_refused(attempt, answer)
        return why

    def _begin(self, head: Head, bid: Bid) -> Attempt:
        """Sign and write down. Raises `Skip` when it should not be sent."""
        self.may_send()
        act, lost = bid.act, self._journal.wasted(head.timestamp - DAY, bid.act.kind)
        if lost > self._policy.failed_wei_per_day:
            raise Skip("too much lost today")
        if act.kind in UPKEEP:
            spent = self._journal.spent(head.timestamp - DAY, UPKEEP)
            if spent + bid.gas * bid.fee > self._policy.upkeep_wei_per_day:
                raise Skip("upkeep of today is spent")
        flying = sum(one.last.gas * one.last.fee for one in self._journal.in_flight)
        if flying + bid.gas * bid.fee > self._balance:
            raise Skip("too little ether")
        nonce = self._journal.free_nonce(self._nonce)
        attempt = self._signed(head, nonce, bid, bid.tip)
        self._journal.sending(nonce, attempt)
        self._metrics.sent.labels(act.kind).inc()
        self._log.info("sent", nonce=nonce, head=head.number, **shown(bid))
        return attempt

    def _signed(self, head: Head, nonce: int, bid: Bid, tip: int) -> Attempt:
        act, call = bid.act, bid.request.body()
        return self._sign(head, nonce, act.kind, act.target, call, bid.least, bid.gas, bid.fee, tip)

    def _sign(
        self,
        head: Head,
        nonce: int,
        kind: str,
        target: str,
        call: dict[str, str],
        profit: int,
        gas: int,
        fee: int,
        tip: int,
    ) -> Attempt:
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": nonce,
                "to": to_checksum_address(call["to"]),
                "data": HexStr(call["data"]),
                "value": 0,
                "gas": gas,
                "maxFeePerGas": fee,
                "maxPriorityFeePerGas": tip,
            }
        )
        return Attempt(
            kind=kind,
            target=target,
            call=call,
            profit=profit,
            hash="0x" + signed.hash.hex().removeprefix("0x"),
            raw="0x" + signed.raw_transaction.hex().removeprefix("0x"),
            gas=gas,
            fee=fee,
            tip=tip,
            block=head.number,
            time=head.timestamp,
        )

    def _keep_and_push(self, nonce: int, attempt: Attempt) -> None:
        self._journal.sending(nonce, attempt)
        self._journal.keep()
        self._push(attempt)

    def _push(self, attempt: Attempt) -> None:
        try:
            self._node.ask("eth_sendRawTransaction", attempt.raw)
        except Refused as error:
            self._was_refused(attempt, error)

    def _was_refused(self, attempt: Attempt, error: Refused) -> None:
        """Whether the node has it all the same, the next look tells: it stays in the journal."""
        self._log.warn("node refused it", target=attempt.target, why=str(error)[:200])
