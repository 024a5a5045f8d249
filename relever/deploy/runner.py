"""Carrying out a plan: each step sent, followed until it is mined, asserted, and written down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_typing import HexStr
from eth_utils.address import to_checksum_address

from relever.chain import Call, Chain, Revert, RpcError
from relever.deploy.facts import Difference
from relever.deploy.plan import Plan, Step, Transaction
from relever.deploy.record import Attempt, Entry, Record

GWEI = 10**9
# EIP-7825: no transaction may offer more gas.
MOST_GAS = 2**24
# What is not mined after so many blocks offers more; nodes ask for 10 per cent.
STUCK_BLOCKS, BUMP_PER_CENT = 5, 13
# So often in a row the node may refuse a transaction, or show a used nonce and no receipt.
_PATIENCE = 5
# Answers to what the node has already, or has mined.
_KNOWN = ("already known", "already imported", "nonce too low", "known transaction")


class RunError(Exception):
    """The deployment stops here; says why, and what to do before it is run again."""


@dataclass(frozen=True)
class Progress:
    """What happened to a step; `gas` used, 0 when it was done before."""

    number: int
    count: int
    step: str
    what: str
    gas: int = 0


class Runner:
    """One account's deployment on one chain."""

    def __init__(
        self,
        chain: Chain,
        account: LocalAccount,
        plan: Plan,
        record: Record,
        *,
        confirmations: int,
        poll_seconds: float = 0.5,
        most_fee_gwei: int = 300,
        tell: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self._chain, self._account, self._plan, self._record = chain, account, plan, record
        self._confirmations, self._poll = confirmations, poll_seconds
        self._most_fee, self._tell = most_fee_gwei * GWEI, tell

    def run(self) -> None:
        """Do what is left to do, and wait until all of it is final.

        Raises:
            RunError: a step cannot be sent, failed, or did not bring about what it should.
            RpcError: the node cannot be reached.
        """
        self._check_account()
        for number, step in enumerate(self._plan.steps, 1):
            self._settle_earlier()
            self._do(number, step)
        while not self._settle_earlier():
            time.sleep(self._poll)
        self._record.finished = True
        self._record.keep()

    # One step

    def _do(self, number: int, step: Step) -> None:
        entry = self._record.steps.get(step.name)
        count = len(self._plan.steps)
        if entry is None and not step.check():
            self._record.steps[step.name] = Entry(found=True, final=True)
            self._note_code(step)
            self._record.keep()
            self._tell(Progress(number, count, step.name, "done before"))
            return
        if entry is not None and (entry.final or entry.mined):
            # What was mined is looked at by `_settle_earlier`.
            self._tell(Progress(number, count, step.name, "done before"))
            return
        receipt = None if entry is None else self._follow(step, entry)
        while receipt is None:
            entry = self._begin(step)
            receipt = self._follow(step, entry)
        assert entry is not None
        self._mined(step, entry, receipt)
        self._tell(Progress(number, count, step.name, "mined", entry.gas_used))

    def _mined(self, step: Step, entry: Entry, receipt: dict[str, Any]) -> None:
        """Write down where, and assert what it was for."""
        wrong = step.check()
        if wrong and receipt["status"] != "0x1":
            # It changed nothing, so that it may be tried again.
            del self._record.steps[step.name]
            self._record.keep()
            raise RunError(
                f"{step.name} failed in block {int(receipt['blockNumber'], 16)} "
                f"({receipt['transactionHash']}): {self._why(step)}. Run again to try again"
            )
        if wrong:
            raise RunError(
                f"{step.name} is mined ({receipt['transactionHash']}), but {_list(wrong)}: is "
                "somebody else at work, or a parameter impossible? Nothing further is sent"
            )
        entry.hash = receipt["transactionHash"]
        entry.block, entry.block_hash = int(receipt["blockNumber"], 16), receipt["blockHash"]
        block = self._chain.rpc("eth_getBlockByHash", [entry.block_hash, False])
        entry.time = 0 if block is None else int(block["timestamp"], 16)
        entry.gas_used = int(receipt["gasUsed"], 16)
        entry.fee_wei = entry.gas_used * int(receipt["effectiveGasPrice"], 16)
        self._note_code(step)
        self._record.keep()

    def _note_code(self, step: Step) -> None:
        names = [] if step.creation is None else [step.creation.name]
        time = self._record.steps[step.name].time
        for name in [*names, "market"] if step.name == "factory" else names:
            self._record.codes[name] = self._plan.code_digest(name, time)

    def _begin(self, step: Step) -> Entry:
        """Sign it, write it down, send it."""
        transaction = step.build()
        # Without it, what the step would take is not even estimated.
        self._check_funds(step, transaction.value)
        gas = self._gas(step, transaction)
        fee, tip = self._price()
        entry = Entry(nonce=self._next_nonce())
        self._check_funds(step, gas * fee + transaction.value)
        entry.attempts.append(self._sign(transaction, entry.nonce, gas, fee, tip))
        self._record.steps[step.name] = entry
        self._record.keep()
        self._push(step, entry.attempts[-1])
        return entry

    def _next_nonce(self) -> int:
        used = [one.nonce + 1 for one in self._record.steps.values() if one.nonce >= 0]
        return max([self._count("latest"), *used])

    def _gas(self, step: Step, transaction: Transaction) -> int:
        asked = {
            "from": self._account.address,
            "to": transaction.to,
            "data": "0x" + transaction.data.hex(),
            "value": hex(transaction.value),
        }
        try:
            estimate = int(self._chain.rpc("eth_estimateGas", [asked]), 16)
        except RpcError as error:
            if error.code == 0:
                raise
            raise RunError(f"{step.name} would fail: {self._why(step) or error}") from None
        gas = estimate * 5 // 4
        if estimate > MOST_GAS:
            raise RunError(f"{step.name} takes {estimate} gas, and {MOST_GAS} is the most")
        return min(gas, MOST_GAS)

    def _why(self, step: Step) -> str:
        """What the chain says to it now."""
        transaction = step.build()
        sender = self._account.address
        try:
            self._chain.read(
                Call(
                    sender,
                    transaction.to,
                    transaction.data,
                    transaction.value,
                    MOST_GAS,
                    step.name,
                )
            )
        except Revert as error:
            return str(error)
        except RpcError as error:
            return str(error)
        return "it would not fail now"

    def _price(self) -> tuple[int, int]:
        """Most wei per gas, twice the base fee and the tip; and the tip."""
        base, tip = prices(self._chain)
        fee = 2 * base + tip
        if fee > self._most_fee:
            raise RunError(
                f"gas costs up to {fee / GWEI:.1f} gwei, and {self._most_fee // GWEI} is the most "
                "that may be offered: run again when it is cheaper, or allow more"
            )
        return fee, tip

    def _check_funds(self, step: Step, needed: int) -> None:
        address = self._account.address
        held = self._chain.balance(address)
        if held < needed:
            raise RunError(
                f"{address} has {held / 10**18:.6f} ether and {step.name} may take "
                f"{needed / 10**18:.6f}: send it the rest, and run again to go on"
            )

    def _sign(self, transaction: Transaction, nonce: int, gas: int, fee: int, tip: int) -> Attempt:
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self._plan.settings.network.chain_id,
                "nonce": nonce,
                "to": to_checksum_address(transaction.to),
                "data": HexStr("0x" + transaction.data.hex()),
                "value": transaction.value,
                "gas": gas,
                "maxFeePerGas": fee,
                "maxPriorityFeePerGas": tip,
            }
        )
        raw, digest = (
            one.hex().removeprefix("0x") for one in (signed.raw_transaction, signed.hash)
        )
        block = self._chain.block_number
        return Attempt("0x" + digest, "0x" + raw, gas, fee, tip, block)

    # What becomes of it

    def _follow(self, step: Step, entry: Entry) -> dict[str, Any] | None:
        """Wait for one of the attempts; None when their nonce went to something else."""
        taken = refused = 0
        while True:
            used = self._count("latest")
            for attempt in reversed(entry.attempts):
                receipt = self._chain.rpc("eth_getTransactionReceipt", [attempt.hash])
                if receipt is not None:
                    found: dict[str, Any] = receipt
                    return found
            if used > entry.nonce:
                taken += 1
                if taken >= _PATIENCE:
                    return None
            elif used < entry.nonce:
                # It waits for an earlier one, which was taken back.
                self._push_again(used)
            else:
                taken = 0
                last = entry.attempts[-1]
                if not self._knows(last):
                    refused = 0 if self._push(step, last) else refused + 1
                elif self._chain.block_number - last.block >= STUCK_BLOCKS:
                    self._replace(step, entry)
                if refused >= _PATIENCE:
                    self._replace(step, entry)
                    refused = 0
            time.sleep(self._poll)

    def _push_again(self, nonce: int) -> None:
        """Send what has this nonce once more, where the node has lost it."""
        for step in self._plan.steps:
            entry = self._record.steps.get(step.name)
            if entry is None or entry.nonce != nonce:
                continue
            if any(self._knows(attempt) for attempt in entry.attempts):
                return
            if not entry.attempts[-1].raw:
                raise RunError(
                    f"{step.name} was taken back, which lay {self._confirmations} blocks deep: "
                    "is it the same chain? Move the record away to begin anew"
                )
            self._tell(Progress(0, len(self._plan.steps), step.name, "taken back, sent again"))
            self._push(step, entry.attempts[-1])
            return
        raise RunError(
            f"nonce {nonce} of {self._account.address} is used by nothing that is known, and what "
            "comes after waits for it: send anything with that nonce, and run again"
        )

    def _knows(self, attempt: Attempt) -> bool:
        return self._chain.rpc("eth_getTransactionByHash", [attempt.hash]) is not None

    def _push(self, step: Step, attempt: Attempt) -> bool:
        """Send it; whether the node took it. Raises `RunError` where that would never be."""
        try:
            self._chain.rpc("eth_sendRawTransaction", [attempt.raw])
        except RpcError as error:
            if error.code == 0:
                raise
            words = str(error).lower()
            if "insufficient funds" in words:
                raise RunError(f"{step.name}: {error}: send ether, and run again") from None
            return any(known in words for known in _KNOWN)
        return True

    def _replace(self, step: Step, entry: Entry) -> None:
        """The same, offering more, with the same nonce."""
        last = entry.attempts[-1]
        fee, tip = self._price()
        fee, tip = (
            max(now, old + old * BUMP_PER_CENT // 100 + 1)
            for now, old in ((fee, last.fee), (tip, last.tip))
        )
        if fee > self._most_fee:
            raise RunError(
                f"{step.name} ({last.hash}) is not mined at {last.fee / GWEI:.1f} gwei, and "
                f"{self._most_fee // GWEI} is the most that may be offered: wait, and run again"
            )
        again = self._sign(step.build(), entry.nonce, last.gas, fee, tip)
        entry.attempts.append(again)
        self._record.keep()
        self._push(step, again)

    def _settle_earlier(self) -> bool:
        """Look again at what is mined and not final; whether all of it is final.

        What a reorganisation took back is sent again, the very same, one after the other.
        """
        head = self._chain.block_number
        final = True
        for step in self._plan.steps:
            entry = self._record.steps.get(step.name)
            if entry is None or entry.final or not entry.mined:
                continue
            receipt = self._chain.rpc("eth_getTransactionReceipt", [entry.hash])
            deep = head - entry.block >= self._confirmations
            if receipt is None or receipt["blockHash"] != entry.block_hash:
                self._check_depth(step, entry, head)
                self._tell(Progress(0, len(self._plan.steps), step.name, "taken back"))
                found = self._follow(step, entry)
                if found is None:
                    # Its nonce went to something else in the other history: begin it anew.
                    found = self._follow(step, self._begin(step))
                if found is None:
                    raise RunError(f"{step.name} was taken back, and its nonce used: run again")
                self._mined(step, self._record.steps[step.name], found)
                final = False
            elif deep:
                entry.final = True
                for attempt in entry.attempts:
                    attempt.raw = ""
                self._record.keep()
            else:
                final = False
        return final

    def _check_depth(self, step: Step, entry: Entry, head: int) -> None:
        if head - entry.block > max(64, self._confirmations):
            raise RunError(
                f"the record says that {step.name} was mined in block {entry.block} "
                f"({entry.hash}), which this chain does not know: is it the same chain?"
            )

    def _check_account(self) -> None:
        """That the chain is the record's, and the account sends nothing else."""
        latest, pending = self._count("latest"), self._count("pending")
        ours = [one for one in self._record.steps.values() if one.nonce >= latest and not one.mined]
        if pending > latest + len(ours):
            raise RunError(
                f"{pending - latest - len(ours)} transactions of {self._account.address} are "
                "pending that this deployment did not send: wait for them, or deploy by an account "
                "that does nothing else"
            )
        for step in self._plan.steps:
            entry = self._record.steps.get(step.name)
            if entry is None or not entry.final or step.creation is None:
                continue
            if not self._plan.code_at(step.creation.address):
                raise RunError(
                    f"the record says that {step.name} is done, but {step.creation.address} holds "
                    "no code: is it the same chain? Move the record away to begin anew"
                )

    def _count(self, block: str) -> int:
        return int(self._chain.rpc("eth_getTransactionCount", [self._account.address, block]), 16)


def _list(wrong: list[Difference]) -> str:
    return "; ".join(map(str, wrong))


def prices(chain: Chain) -> tuple[int, int]:
    """Base fee and a usual tip, in wei per gas."""
    head = chain.rpc("eth_getBlockByNumber", ["latest", False])
    try:
        tip = max(int(chain.rpc("eth_maxPriorityFeePerGas"), 16), 1)
    except RpcError as error:
        if error.code == 0:
            raise
        tip = GWEI
    return int(head.get("baseFeePerGas", "0x0"), 16), tip
