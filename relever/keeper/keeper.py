"""The keeper: look at each block, decide, send."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

from relever.keeper.acts import AGAIN, ORDER, REBALANCE, Act, liquidations, upkeep, ways
from relever.keeper.bid import Bid, Skip, bid, likely_fee, shown, together
from relever.keeper.book import Book
from relever.keeper.config import Policy, Share, Trust
from relever.keeper.journal import Attempt, Journal
from relever.keeper.logs import Log
from relever.keeper.metrics import Metrics
from relever.keeper.node import Distrusted, Head, Node, NodeError, Refused
from relever.keeper.orders import OrderFolder
from relever.keeper.sender import DAY, Sender
from relever.keeper.shares import rebalances, shares_upkeep
from relever.keeper.suite import DeploymentError, Suite

# After a failure on chain a target is left alone for so many blocks, twice as many after the next.
_REST_BLOCKS, _MOST_DOUBLINGS = 8, 10
# Liquidations that are simulated one after the other in one request.
_TOGETHER = 48
# How often the checkpoint is written, in blocks.
_SAVE_EVERY = 50


class Pace:
    """How long blocks take, by our own clock, so that nothing is sent that misses the next.

    It would be mined later than it was reckoned for, maybe after somebody else's turn.
    """

    # Of the time that a block takes; and the least time, for blocks that come in bursts.
    _WINDOW, _LEAST_SECONDS = 0.75, 1.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._number, self._seen, self._gap = -1, 0.0, 0.0

    def see(self, number: int) -> None:
        """A head is seen, for the first time or again."""
        now = self._clock()
        if number == self._number:
            return
        if number == self._number + 1:
            gap = now - self._seen
            self._gap = gap if not self._gap else (3 * self._gap + gap) / 4
        self._number, self._seen = number, now

    @property
    def late(self) -> bool:
        """Whether the next block is too near."""
        window = max(self._gap, self._LEAST_SECONDS) * self._WINDOW
        return bool(self._gap) and self._clock() - self._seen > window


class _Over(Exception):
    """Nothing more is to be sent for this block; the message is why."""


class NoEther(Exception):
    """The account cannot pay for anything; says where to send ether."""


@dataclass(frozen=True)
class Options:
    """Where a keeper looks and who it is.

    Attributes:
        url: of its node: http(s), ws(s), or the path of a socket.
        other_url: of a second node to compare with, or empty.
        folder: for its journal and checkpoint, for it alone.
        account: its key; None only in a dry run.
        orders: a folder of signed orders, see `relever.orders`, or None.
        dry_run: decide and say so, and send nothing.
        poll_seconds: how often the node is asked for a new block.
    """

    url: str
    folder: Path
    account: LocalAccount | None
    other_url: str = ""
    orders: Path | None = None
    dry_run: bool = False
    poll_seconds: float = 1.0
    policy: Policy = field(default_factory=Policy)
    trust: Trust = field(default_factory=Trust)
    share: Share = field(default_factory=Share)


class Keeper:
    """One keeper of one deployment."""

    def __init__(
        self, suite: Suite, options: Options, log: Log, metrics: Metrics | None = None
    ) -> None:
        """Connect, open the journal, read where it stood.

        Raises:
            NodeError: no answer.
            DeploymentError: the chain does not have the deployment.
            JournalError: the folder is another's.
            NoEther: the account is empty.
        """
        self._suite, self._options, self._log = suite, options, log
        self.metrics = metrics or Metrics()
        self._node = Node(options.url, options.trust)
        self._other = Node(options.other_url, options.trust) if options.other_url else None
        suite.check(self._node)
        suite.find_tokens(self._node)
        chain_id = int(self._node.ask("eth_chainId"), 16)
        self._me = "0x" + "00" * 20
        self._sender: Sender | None = None
        self._journal: Journal | None = None
        options.folder.mkdir(parents=True, exist_ok=True)
        if not options.dry_run:
            account = options.account
            assert account is not None, "an account is needed to send"
            self._me = account.address
            if self._node.balance(self._me) == 0:
                raise NoEther(f"{self._me} has no ether for gas on chain {chain_id}: send it some")
            name = f"{chain_id} {self._node.block(0).hash}"
            self._journal = Journal(options.folder, self._me, name)
            self._sender = Sender(
                self._node,
                suite,
                account,
                chain_id,
                self._journal,
                options.policy,
                log,
                self.metrics,
            )
        path = options.folder / "positions.json"
        self.book = Book(suite, path, log, options.policy.confirmations)
        self.book.load(self._node)
        self._orders: OrderFolder | None = None
        if options.orders is not None:
            if "orders" not in suite.addresses:
                raise DeploymentError("the deployment has no address for orders: add it")
            self._orders = OrderFolder(options.orders, suite, chain_id, log)
        self._head: Head | None = None
        self._pace = Pace()
        self._saved = 0
        log.info("serving", tokens=sorted(suite.tokens), backstop="backstop" in suite.addresses)

    def close(self) -> None:
        """Let go of the journal and the connections."""
        if self._journal is not None:
            self._journal.close()
        self._node.close()
        if self._other is not None:
            self._other.close()

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Look at every new block until told to stop; outlives its node."""
        while not stop():
            try:
                self.look()
            except NodeError as error:
                self.metrics.failures.inc()
                self._log.warn("node failed", why=str(error))
            except Distrusted as error:
                self.metrics.refusals.inc()
                self.metrics.trusted.set(0)
                self._log.error("not acting: node not believed", why=str(error))
            except Refused as error:
                self.metrics.failures.inc()
                self._log.error("a view of the deployment reverts", why=str(error))
            time.sleep(self._options.poll_seconds)

    def look(self) -> bool:
        """Look at the head and act on it; whether it was a new one.

        Raises:
            NodeError: no answer: nothing is known to have been done, the journal knows what was.
            Distrusted: the node is not believed, nothing was done.
        """
        head = self._node.head(self._other)
        if self._head is not None and head.hash == self._head.hash:
            return False
        self._pace.see(head.number)
        with self.metrics.look.time():
            self._look(head)
        self.metrics.head_block.set(head.number)
        self.metrics.head_seen.set(time.time())
        return True

    def _look(self, head: Head) -> None:
        taken_back = self._head is None or not self._follows(self._head, head)
        if self._head is not None and taken_back:
            self.metrics.reorgs.inc()
            self._log.warn("blocks were taken back", was=self._head.number, now=head.number)
            if self._orders is not None:
                self._orders.forget()
            self.book.rewind(min(self._head.number, head.number) - self._options.trust.reorg_blocks)
        if self._sender is not None:
            self._sender.reconcile(head, self._other, taken_back=taken_back)
        self.metrics.trusted.set(1)
        self.book.follow(self._node, head)
        if head.number >= self._saved + _SAVE_EVERY or head.number < self._saved:
            self.book.save(self._node)
            self._saved = head.number
        if self._sender is not None:
            self._sender.tend(head, lambda sent, floor: self._still(head, sent, floor))
        if self._options.share.has_turn(head.number):
            self._act(head)
        self._head = head

    def _follows(self, before: Head, head: Head) -> bool:
        if head.number <= before.number:
            return False
        if head.number == before.number + 1:
            return head.parent == before.hash
        return self._node.block(before.number).hash == before.hash

    # Deciding

    def _act(self, head: Head) -> None:
        if self._sender is not None:
            try:
                self._sender.may_send()
            except Skip as skip:
                self.metrics.skipped.labels(str(skip)).inc()
                self._log.error("not acting", why=str(skip), account=self._me)
                return
        try:
            for act in self._may_try(head, self._upkeep(head)):
                self._send_one(head, act)
            acts = list(self._may_try(head, self._liquidations(head)))
            for start in range(0, len(acts), _TOGETHER):
                self._send_together(head, acts[start : start + _TOGETHER])
            self._send_singly(head, list(self._may_try(head, self._due_orders(head))))
            taken = self._may_try(head, rebalances(self._node, self._suite))
            self._send_singly(head, list(taken))
        except _Over as over:
            self._log.info("no more for this block", why=str(over))

    def _send_together(self, head: Head, acts: Sequence[Act]) -> None:
        """Liquidate one after the other; what comes after the first must see what that did."""
        policy, left = self._options.policy, list(acts)
        why: dict[str, str] = {}
        for tag in ("latest", "pending"):
            self._in_time()
            try:
                offers, why = together(self._node, self._suite, policy, head, self._me, left, tag)
            except Refused:
                self._send_singly(head, left)
                return
            self._still_the_head(head)
            if self._sender is None:
                for offer in offers:
                    self._log.info("would send", **shown(offer))
            else:
                self._in_time()
                why |= self._sender.send_all(head, offers)
            left = [act for act in left if act.target in why]
            if not left:
                break
            if sent := [one for one in offers if one.act.target not in why]:
                self._check_pending(sent[0])
        for act in left:
            self._skip(act, Skip(why[act.target]))

    def _send_singly(self, head: Head, acts: Sequence[Act]) -> None:
        for act in acts:
            if (sent := self._send_one(head, act)) is not None:
                self._check_pending(sent)

    def _send_one(self, head: Head, act: Act) -> Bid | None:
        """The bid, if there was one."""
        self._in_time()
        try:
            offer = self._bid(head, act, "pending")
        except Skip as skip:
            self._skip(act, skip)
            return None
        self._still_the_head(head)
        return self._try(head, act, offer)

    def _try(self, head: Head, act: Act, offer: Bid) -> Bid | None:
        if self._sender is None:
            self._log.info("would send", **shown(offer))
            return None
        self._in_time()
        try:
            self._sender.send(head, offer)
        except Skip as skip:
            self._skip(act, skip)
            return None
        return offer

    def _in_time(self) -> None:
        if self._sender is not None and self._pace.late:
            raise _Over("it is late in it")

    def _still_the_head(self, head: Head) -> None:
        if self._sender is not None and self._node.number() != head.number:
            raise _Over("the next has come")

    def _check_pending(self, sent: Bid) -> None:
        """Stop when the node's pending state lacks what it was just sent.

        What comes next would be reckoned as if that had left all prices where they were.
        """
        if self._sender is None:
            return
        try:
            self._node.call(sent.request.body(self._me), "pending")
        except Refused:
            return
        raise _Over("the node shows nothing that is pending")

    def _skip(self, act: Act, skip: Skip) -> None:
        self.metrics.skipped.labels(act.kind).inc()
        self._log.info("skipped", kind=act.kind, target=act.target, why=str(skip))

    def _upkeep(self, head: Head) -> Iterator[Act]:
        yield from upkeep(self._node, self._suite, self.book, self._options.policy, head)
        yield from shares_upkeep(self._node, self._suite, head)

    def _due_orders(self, head: Head) -> Iterator[Act]:
        if self._orders is None:
            return iter(())
        self._orders.refresh()
        return self._orders.due(self._node, self.book, head)

    def _liquidations(self, head: Head) -> Iterator[Act]:
        policy = self._options.policy
        breaches = list(self.book.breaches(self._node))
        self.metrics.watched.set(len(self.book))
        self.metrics.candidates.set(len(breaches))
        fee = likely_fee(head, policy)
        return liquidations(self._node, self._suite, self.book, breaches, policy, fee)

    def _may_try(self, head: Head, acts: Iterator[Act]) -> Iterator[Act]:
        """Not what is under way already, nor what failed on chain a little while ago."""
        return (act for act in acts if self._may(head, act))

    def _may(self, head: Head, act: Act) -> bool:
        if self._journal is None:
            return True
        if self._journal.busy(act.kind, act.target):
            return False
        failures = self._journal.failures(act.target, head.timestamp - DAY)
        if not failures:
            return True
        rest = _REST_BLOCKS << min(len(failures) - 1, _MOST_DOUBLINGS)
        return head.number - max(one.block for one in failures) >= rest

    def _bid(self, head: Head, act: Act, tag: str, floor: int = 0) -> Bid:
        policy = self._options.policy
        return bid(self._node, self._suite, policy, head, self._me, act, tag, floor)

    def _still(self, head: Head, sent: Attempt, floor: int) -> Bid:
        """What was sent and is not mined, decided again as if it had not been sent."""
        try:
            if sent.kind in (ORDER, REBALANCE):
                # A rebalance keeps its own least, whatever its auction pays by now.
                calls, worth = {AGAIN: self._suite.again(sent.call)}, sent.profit
            else:
                calls, worth = ways(self._suite, sent.kind, sent.target), 0
        except KeyError as error:
            # Sent before a restart, by a file that named more.
            raise Skip("not of this deployment") from error
        act = Act(sent.kind, sent.target, calls, worth)
        return self._bid(head, act, "latest", floor)
