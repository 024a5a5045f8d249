"""The journal outlives its process at any moment, and belongs to one account on one chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relever.keeper.journal import Attempt, Journal, JournalError

ATTEMPT = Attempt(
    kind="liquidate",
    target="market:owner",
    call={"to": "0x01", "data": "0x02"},
    profit=5,
    hash="0xaa",
    raw="0xbb",
    gas=100,
    fee=7,
    tip=1,
    block=10,
    time=1_000,
)


def opened(folder: Path, account: str = "me", chain: str = "1") -> Journal:
    return Journal(folder, account, chain)


def test_sending__then_killed__is_under_way_after_the_restart(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.sending(4, ATTEMPT)
    journal.close()
    again = opened(tmp_path)
    assert again.busy("liquidate", "market:owner")
    assert not again.busy("liquidate", "market:other")
    assert [(one.nonce, one.last) for one in again.in_flight] == [(4, ATTEMPT)]
    assert again.free_nonce(4) == 5


def test_journal__last_line_cut_off__is_forgotten(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.sending(4, ATTEMPT)
    journal.close()
    file = tmp_path / "journal.jsonl"
    file.write_bytes(file.read_bytes() + b'{"mined":{"nonce":4,"win')
    again = opened(tmp_path)
    assert again.busy("liquidate", "market:owner")
    again.idle(4)
    again.close()
    assert not opened(tmp_path).busy("liquidate", "market:owner")


def test_journal__damaged_in_the_middle__says_which_line(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.sending(4, ATTEMPT)
    journal.close()
    file = tmp_path / "journal.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1][:-9], ""]))
    with pytest.raises(JournalError, match="line 2 is damaged"):
        opened(tmp_path)


def test_journal__held_by_another__is_refused(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(JournalError, match="in use"):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


@pytest.mark.parametrize(("account", "chain"), [("other", "1"), ("me", "2")])
def test_journal__of_another_account_or_chain__is_refused(
    tmp_path: Path, account: str, chain: str
) -> None:
    opened(tmp_path).close()
    with pytest.raises(JournalError, match="another account or chain"):
        opened(tmp_path, account, chain)


def test_mined__then_taken_back__is_in_flight_again(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.sending(4, ATTEMPT)
    journal.mined(4, "0xaa", 11, 900, False)
    assert not journal.busy("liquidate", "market:owner")
    journal.unmined(4)
    assert journal.busy("liquidate", "market:owner")
    assert journal.spent(0, {"liquidate"}) == 0


def test_sending__nonce_of_an_idle_act__keeps_both_attempts(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.sending(4, ATTEMPT)
    journal.idle(4)
    assert journal.free_nonce(4) == 4
    journal.sending(4, replace(ATTEMPT, target="market:other", hash="0xcc"))
    journal.mined(4, "0xaa", 11, 900, False)
    (entry,) = journal.entries
    assert entry.winner == ATTEMPT


def test_finish__nonces_below_are_used_for_ever(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert journal.settled == -1
    journal.sending(4, ATTEMPT)
    journal.mined(4, "0xaa", 11, 900, True)
    journal.finish(4)
    journal.close()
    again = opened(tmp_path)
    assert again.settled == 5
    assert again.entries == []
    assert again.wasted(1_000, "liquidate") == 900
    assert again.wasted(1_001, "liquidate") == again.wasted(0, "order") == 0
    assert [one.nonce for one in again.failures("market:owner", 0)] == [4]


def test_journal__opened_again__keeps_two_days_and_what_is_open(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for nonce, day in enumerate((0, 1, 3, 4)):
        journal.sending(nonce, replace(ATTEMPT, time=day * 86_400, hash=f"0x{nonce}"))
        journal.mined(nonce, f"0x{nonce}", 11, 900, True)
        if nonce < 3:
            journal.finish(nonce)
    journal.sending(4, replace(ATTEMPT, target="market:other"))
    journal.idle(4)
    journal.close()
    again = opened(tmp_path)
    assert again.wasted(0, "liquidate") == 3 * 900
    assert again.settled == 3
    assert [(one.nonce, one.mined, one.idle) for one in again.entries] == [
        (3, "0x3", False),
        (4, "", True),
    ]
    again.close()
    third = opened(tmp_path)
    assert (third.settled, third.entries) == (3, again.entries)
