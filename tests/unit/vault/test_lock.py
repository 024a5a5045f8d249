"""Nothing can be done in the middle of an action: an adapter calls back in and gets nowhere."""

import pytest

from relever.artifacts import artifact
from tests.unit.vault.conftest import NOBODY, WAD, Setup

# The ERC-20 part and ownership touch no totals; the rest of these cannot change.
OPEN = {
    "asset", "unlock_period", "name", "symbol", "decimals", "totalSupply", "balanceOf", "allowance",
    "nonces", "transfer", "transferFrom", "approve", "permit", "DOMAIN_SEPARATOR", "eip712Domain",
    "owner", "pending_owner", "transfer_ownership", "accept_ownership",
}  # fmt: skip
MAXIMA = ["maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"]
EXAMPLES = {"uint256": 1, "address": NOBODY, "bool": False}


def arguments() -> dict[str, list[object]]:
    """An example of each function's arguments, by its name."""
    return {
        entry["name"]: [EXAMPLES.get(part["type"]) for part in entry["inputs"]]
        for entry in artifact("LRTVault").abi
        if entry["type"] == "function" and entry["name"] not in OPEN
    }


@pytest.mark.parametrize("name", sorted(set(arguments()) - set(MAXIMA)))
def test_lock__called_in_the_middle_of_an_action__reverts(staked: Setup, name: str) -> None:
    vault, adapter = staked.vault, staked.adapter
    data = getattr(vault, name).encode(*arguments()[name])
    adapter.set_hook(vault.address, data)
    acts = [
        lambda: staked.allocate(WAD),
        lambda: vault.deallocate(adapter.address, WAD, sender=staked.actors.allocator),
        lambda: vault.finish_exit(adapter.address, 0),
    ]
    for act in acts:
        act()
        assert adapter.hook_success() is False
        # The lock gives no reason; a reason would mean that the function ran.
        assert adapter.hook_answer() == b""


@pytest.mark.parametrize("name", MAXIMA)
def test_lock__maximum_in_the_middle_of_an_action__is_zero(staked: Setup, name: str) -> None:
    who = staked.actors.depositor
    assert getattr(staked.vault, name)(who) > 0
    staked.adapter.set_hook(staked.vault.address, getattr(staked.vault, name).encode(who))
    staked.allocate(WAD)
    assert staked.adapter.hook_success() is True
    assert staked.adapter.hook_answer() == b"\0" * 32


def test_lock__share_transfer_in_the_middle_of_an_action__works(staked: Setup) -> None:
    vault = staked.vault
    vault.transfer(staked.adapter.address, WAD, sender=staked.actors.depositor)
    data = vault.transfer.encode(staked.actors.holder, WAD)
    staked.adapter.set_hook(vault.address, data)
    staked.allocate(WAD)
    assert vault.balanceOf(staked.actors.holder) == WAD
