"""While an action runs every other one is refused, and every view that could see half of it."""

import pytest

from relever.artifacts import artifact
from tests.unit.backstop.conftest import WAD, Backstop

# ERC-20, and what never changes, is not locked; nor are the limits, which then are zero.
FREE = {
    *("name", "symbol", "decimals", "totalSupply", "balanceOf", "allowance", "nonces"),
    *("transfer", "transferFrom", "approve", "permit", "DOMAIN_SEPARATOR"),
    *("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"),
}
# What the module of ERC-20 says may be read, and what the compiler leaves unlocked: immutables.
FIXED = {
    *("asset", "LIQUIDATOR", "FACTORY", "LRT", "QUEUE", "LST", "SWAP", "SALE_LOSS"),
    "UNLOCK_PERIOD",
}
SAMPLES = {"uint256": 1, "address": "0x" + "11" * 20, "uint256[]": [], "uint8": 1}


def locked() -> list[str]:
    names = {entry["name"] for entry in artifact("BackstopPool").abi if entry["type"] == "function"}
    return sorted(names - FREE - FIXED)


@pytest.mark.parametrize("name", locked())
def test_lock__called_in_the_middle_of_a_sale__is_refused(backed: Backstop, name: str) -> None:
    pool, swap = backed.pool, backed.swap
    claim = backed.bought(WAD)
    backed.pay_line()
    (entry,) = (e for e in artifact("BackstopPool").abi if e.get("name") == name)
    given = [SAMPLES[part["type"]] for part in entry["inputs"]]
    swap.set_hook(pool.address, getattr(pool, name).encode(*given))
    receipt = pool.harvest([claim])
    assert receipt.events[-1].name == "Sold"
    assert (swap.succeeded(), swap.answer()) == (False, b"")
    # And is not, afterwards.
    assert pool.cash() > 0


def test_lock__functions__are_the_known_ones() -> None:
    assert {"deposit", "buy", "serve", "quote", "low_assets", "joining"} <= set(locked())
