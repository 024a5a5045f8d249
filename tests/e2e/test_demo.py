"""The demo's story, run as a user runs it, its numbers worked out again from outside.

Nothing here calls the contracts: amounts follow from the document's own earlier numbers, by the
formulas of the specification in exact fractions.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest

from relever.chain import Chain
from relever.client.__main__ import main as use
from relever.protocol import Protocol

ROOT = Path(__file__).parents[2]
WAD = 10**18
E36 = 10**36
UNLIMITED = 2**256 - 1
THRESHOLD = Fraction(93, 100)
TARGET_HEALTH = Fraction(103, 100)
BASE_BONUS, MAX_BONUS = Fraction(1, 100), Fraction(5, 100)
FEE = Fraction(1, 10)
SWAP_FEE = Fraction(1, 10_000)


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "relever.demo", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def story() -> dict[str, Any]:
    done = run_demo("--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def steps(story: dict[str, Any]) -> dict[str, Any]:
    return {step["name"]: step for step in story["steps"]}


def system(step: dict[str, Any], key: str) -> int:
    return int(step["system"][key])


def staked(step: dict[str, Any]) -> int:
    return system(step, "eigenlayer_staked") + system(step, "symbiotic_staked")


def party(step: dict[str, Any], name: str, key: str, when: str = "after") -> int:
    return int(step[when][name][key])


def test_demo__as_a_whole__every_check_true(story: dict[str, Any]) -> None:
    assert len(story["checks"]) >= 15
    assert all(story["checks"].values()), story["evidence"]


def test_demo__run_twice__same_document(story: dict[str, Any]) -> None:
    assert json.loads(run_demo("--json").stdout) == story


def test_demo__open__five_times_by_one_transaction(steps: dict[str, Any]) -> None:
    opened = steps["open"]
    whats = [done["what"] for done in opened["transactions"]]
    assert whats == ["approve", "authorise", "open 5x"]
    equity = 20 * WAD
    debt = party(opened, "looper", "debt")
    lst_rate = system(opened, "lst_rate")
    assert debt == equity * lst_rate // WAD * 4
    minted = (equity + debt * WAD // lst_rate) * WAD // system(opened, "vault_rate")
    assert party(opened, "looper", "collateral") == minted
    worth = Fraction(minted * system(opened, "fundamental_price"), E36)
    assert worth / (worth - debt) == 5


def test_demo__rewards__raise_both_rates_by_what_was_paid(steps: dict[str, Any]) -> None:
    """A WETH of EigenLayer's rewards is sold; a tenth of it goes to the treasury, in shares."""
    before, after = steps["open"], steps["rewards"]
    assets, shares = system(before, "vault_idle") + staked(before), system(before, "vault_shares")
    assert assets == shares
    virtual = 10**9
    reward = system(after, "vault_idle") - system(before, "vault_idle")
    fair = Fraction(WAD * WAD, system(before, "lst_rate"))
    assert fair * 999 / 1_000 < reward < fair
    fee_shares = reward // 10 * (shares + virtual) // (assets + virtual)
    assert system(after, "vault_shares") == shares + fee_shares
    rate = (assets + reward + virtual) * WAD // (shares + fee_shares + virtual)
    assert system(after, "vault_rate") == rate
    growth = Fraction(system(after, "lst_rate"), system(before, "lst_rate"))
    assert abs(growth - (1 + Fraction(3, 100) * 30 / 365)) < Fraction(1, 10**17)


def test_demo__interest__follows_the_curve(steps: dict[str, Any]) -> None:
    """Against the adaptive curve in high precision; the tolerance is the code's step, 2.6e-9."""
    before, after = steps["open"], steps["rewards"]
    supplied, borrowed = system(before, "supplied"), system(before, "borrowed")
    utilisation = Decimal(borrowed) / Decimal(supplied)
    deviation = (utilisation - Decimal("0.9")) / Decimal("0.9")
    years = Decimal(system(after, "time") - system(before, "time")) / Decimal(365 * 86_400)
    drift = Decimal(50) * deviation * years
    floor_rate, start = Decimal("0.001"), Decimal("0.04")
    at = [max(floor_rate, start * (drift * part).exp()) for part in (0, Decimal("0.5"), 1)]
    mean = (at[0] + 2 * at[1] + at[2]) / 4
    rate = mean * (1 + deviation * Decimal("0.75"))
    interest = Decimal(borrowed) * ((rate * years).exp() - 1)
    charged = system(after, "borrowed") - borrowed
    assert abs(Decimal(charged) / interest - 1) < Decimal("1e-7")
    assert system(after, "supplied") - supplied == charged


def test_demo__slash__is_eigenlayers_own_transaction(story: dict[str, Any]) -> None:
    slash = next(step for step in story["steps"] if step["name"] == "slash")
    (done,) = slash["transactions"]
    assert done["contract"] == "AllocationManager"
    assert done["address"] == story["addresses"]["allocation_manager"]
    assert (done["what"], done["sender"]) == ("slashOperator", "avs")


def test_demo__sync__rate_falls_by_the_slashed_part_of_the_stake(steps: dict[str, Any]) -> None:
    before, slashed, after = steps["rewards"], steps["slash"], steps["sync"]
    left = system(slashed, "eigenlayer_staked")
    assert abs(left - system(before, "eigenlayer_staked") * 7 // 10) <= 100
    assert system(slashed, "vault_rate") == system(before, "vault_rate")
    shares = system(before, "vault_shares")
    assets = system(before, "vault_idle") + staked(slashed)
    assert system(after, "vault_rate") == (assets + 10**9) * WAD // (shares + 10**9)
    health = system(after, "looper_health")
    assert health < WAD
    debt, collateral = (party(after, "looper", key) for key in ("debt", "collateral"))
    worth = collateral * system(after, "fundamental_price") // E36
    assert health == floor(worth * THRESHOLD * WAD / debt)


def test_demo__liquidate__restores_target_health_and_pays_the_bonus(steps: dict[str, Any]) -> None:
    before, after = steps["sync"], steps["liquidate"]
    debt, collateral = (party(before, "looper", key) for key in ("debt", "collateral"))
    price = Fraction(system(before, "fundamental_price"), E36)
    worth = collateral * price
    shortfall = 1 - worth * THRESHOLD / debt
    bonus = max(BASE_BONUS, min(MAX_BONUS, BASE_BONUS + shortfall, worth / debt - 1))
    repaid = (TARGET_HEALTH * debt - worth * THRESHOLD) / (TARGET_HEALTH - (1 + bonus) * THRESHOLD)
    found = debt - party(after, "looper", "debt")
    # Health and bonus have 18 decimals on the chain: each is up to a unit lower, and this is
    # what a unit of the bonus moves.
    unit = repaid * THRESHOLD / (TARGET_HEALTH - (1 + bonus) * THRESHOLD) / WAD
    assert abs(found - ceil(repaid)) <= 2 * unit + 1
    seized = collateral - party(after, "looper", "collateral")
    assert abs(seized - floor(found * (1 + bonus) / price)) < 1_000
    health = system(after, "looper_health")
    # What such units repaid beyond the target do to the health of the debt that is left.
    left = party(after, "looper", "debt")
    slope = (TARGET_HEALTH - (1 + bonus) * THRESHOLD) / left * WAD
    assert abs(health - TARGET_HEALTH * WAD) <= 2 + (2 * unit + 1) * slope

    assert party(before, "liquidator", "weth") == party(before, "liquidator", "lrt") == 0
    profit = party(after, "liquidator", "weth")
    most = seized * price * (1 - SWAP_FEE) - found
    # Selling into the pool moves its price against the seller: by less than 0.3 % here.
    assert most - seized * price * Fraction(3, 1000) < profit <= most


def test_demo__lender__gets_interest_less_the_protocols_tenth(steps: dict[str, Any]) -> None:
    lent = 1_000 * WAD
    paid = party(steps["withdraw"], "lender", "weth")
    interest = system(steps["withdraw"], "supplied") + paid - lent
    assert interest > 0
    assert abs((paid - lent) - floor(interest * (1 - FEE))) <= interest // 10**4
    assert system(steps["withdraw"], "borrowed") == 0
    assert party(steps["close"], "looper", "debt") == 0


def test_demo__veto_window__symbiotics_own_slash_takes_what_was_asked_for(
    story: dict[str, Any], steps: dict[str, Any]
) -> None:
    before, slashed = steps["request"], steps["veto window"]
    done = slashed["transactions"][0]
    assert done["address"] == story["addresses"]["symbiotic_veto_slasher"]
    assert (done["what"], done["sender"]) == ("execute slash", "avs")
    loss = system(before, "symbiotic_staked") - system(slashed, "symbiotic_staked")
    assert loss == 10 * WAD
    assets, shares = (
        system(slashed, "vault_idle") + staked(slashed),
        system(slashed, "vault_shares"),
    )
    assert system(slashed, "vault_rate") == (assets + 10**9) * WAD // (shares + 10**9)


def test_demo__queue__pays_the_depositor_the_lesser_of_both_rates(steps: dict[str, Any]) -> None:
    asked, slashed, taken, paid = (
        steps[name] for name in ("request", "veto window", "unstake", "claim")
    )
    shares = party(steps["withdraw"], "depositor", "lrt")
    assert shares == 400 * WAD
    assert party(asked, "depositor", "waiting") == system(asked, "queued_shares") == shares
    worth = party(paid, "depositor", "wsteth")
    rate = system(slashed, "vault_rate")
    assert rate < system(asked, "vault_rate")
    # EigenLayer's and Symbiotic's exits round by some units.
    assert shares * rate // WAD - 100 <= worth <= shares * (rate + 1) // WAD
    assert worth > system(asked, "vault_idle")
    assert staked(taken) < staked(slashed)
    assert system(paid, "queued_shares") == system(paid, "set_aside") == 0
    senders = [done["sender"] for done in paid["transactions"]]
    assert senders == ["stranger"] * 3 + ["depositor"]


def test_demo__taken_port__one_clear_line() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run_demo("--port", str(port))
    assert done.returncode != 0
    (line,) = [text for text in done.stderr.splitlines() if text.strip()]
    assert str(port) in line
    assert "Traceback" not in done.stderr


def test_demo__a_check_that_is_false__exits_non_zero_and_names_it() -> None:
    """As if router and liquidator had kept a unit."""
    broken = """
import sys
from relever import demo
real = demo.Story._left_at
demo.Story._left_at = lambda story, contract: real(story, contract) + 1
sys.exit(demo.main([]))
"""
    done = subprocess.run(
        [sys.executable, "-c", broken],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "relever: checks failed: router_empty, liquidator_empty"


def test_demo__keep__leaves_a_chain_that_can_be_talked_to() -> None:
    done = run_demo("--keep")
    pid = int(re.findall(r"kill (\d+)", done.stdout)[0])
    try:
        (url,) = set(re.findall(r"http://127\.0\.0\.1:\d+", done.stdout))
        quote = ["position", "quote", "--amount", "5ether", "--borrow", "0ether", "--node", url]
        assert use(quote) == 0
        addresses = json.loads((ROOT / "build" / "demo.json").read_text(encoding="utf-8"))
        suite = Protocol.at(Chain.connect(url), addresses)
        assert suite.vault.rate() > 0
    finally:
        os.kill(pid, signal.SIGTERM)
