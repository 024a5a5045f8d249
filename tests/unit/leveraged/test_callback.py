"""What a caller with data is told, what it may do meanwhile, and who else may call back."""

import pytest
from eth_abi import encode

from relever.chain import Event, Receipt
from relever.protocol import UNLIMITED, WAD
from tests.leveraged import Tokens
from tests.scene import ETHER, reverts

NOTHING = encode(["bytes"], [b""])


def equip(tokens: Tokens) -> None:
    """The wallet owns LRT, WETH and shares, and has approved nobody."""
    wallet, roles = tokens.wallet, tokens.scene.roles
    tokens.vault.transfer(wallet.address, 100 * ETHER, sender=roles.looper)
    tokens.weth.transfer(wallet.address, 100 * ETHER, sender=roles.looper)
    tokens.token(3).transfer(wallet.address, 10 * ETHER, sender=roles.looper)


def run(tokens: Tokens, function: str, *args: object) -> Receipt:
    token = tokens.token(3)
    data = getattr(token, function).encode(*args)
    receipt: Receipt = tokens.wallet.run(token.address, data, sender=tokens.scene.roles.stranger)
    return receipt


def approve_steps(tokens: Tokens) -> list[tuple[str, bytes]]:
    spender = tokens.token(3).address
    approvals = (tokens.vault.approve, tokens.weth.approve)
    coins = (tokens.vault, tokens.weth)
    return [
        (coin.address, approve.encode(spender, UNLIMITED))
        for coin, approve in zip(coins, approvals, strict=True)
    ]


def called(tokens: Tokens, collateral: int, debt: int, data: bytes) -> Event:
    return Event(
        "Called",
        {
            "caller": tokens.token(3).address,
            "collateral_delta": collateral,
            "debt_delta": debt,
            "data": data,
        },
        tokens.wallet.address,
    )


def test_callback__mint__is_told_and_pays_after_it(tokens: Tokens) -> None:
    equip(tokens)
    token, stranger = tokens.token(3), tokens.scene.roles.stranger
    paid, borrowed = token.preview_mint(ETHER)
    tokens.wallet.set_steps(approve_steps(tokens), sender=stranger)
    receipt = run(tokens, "mint", ETHER, UNLIMITED, 0, tokens.wallet.address, b"why")
    assert called(tokens, paid, borrowed, b"why") in receipt.events
    assert token.balanceOf(tokens.wallet.address) == 11 * ETHER


def test_callback__redeem__is_told_and_repays_after_it(tokens: Tokens) -> None:
    equip(tokens)
    token, stranger = tokens.token(3), tokens.scene.roles.stranger
    got, repaid = token.preview_redeem(ETHER)
    tokens.wallet.set_steps(approve_steps(tokens), sender=stranger)
    receipt = run(tokens, "redeem", ETHER, UNLIMITED, 0, tokens.wallet.address, b"why")
    assert called(tokens, -got, -repaid, b"why") in receipt.events


@pytest.mark.parametrize("lowers", [True, False])
def test_callback__rebalance__is_told_and_pays_after_it(tokens: Tokens, lowers: bool) -> None:
    equip(tokens)
    token, stranger = tokens.token(3), tokens.scene.roles.stranger
    (tokens.lose if lowers else tokens.gain)(WAD // 10)
    tokens.start(token, 3_600)
    brought, got = token.quote_rebalance(lowers, ETHER)
    tokens.wallet.set_steps(approve_steps(tokens), sender=stranger)
    receipt = run(tokens, "rebalance", lowers, ETHER, 0, b"why")
    deltas = (-got, -brought) if lowers else (brought, got)
    assert called(tokens, *deltas, b"why") in receipt.events


def test_callback__that_does_not_pay__reverts(tokens: Tokens) -> None:
    equip(tokens)
    tokens.wallet.set_steps([], sender=tokens.scene.roles.stranger)
    with reverts("erc20: insufficient allowance"):
        run(tokens, "mint", ETHER, UNLIMITED, 0, tokens.wallet.address, b"why")
    with reverts(""):
        run(tokens, "redeem", ETHER, UNLIMITED, 0, tokens.wallet.address, b"why")


@pytest.mark.parametrize("length", [1, 32, 33, 896])
def test_callback__data_of_any_length__arrives(tokens: Tokens, length: int) -> None:
    equip(tokens)
    data = bytes(range(256)) * 4
    tokens.wallet.set_steps(approve_steps(tokens), sender=tokens.scene.roles.stranger)
    receipt = run(tokens, "mint", ETHER, UNLIMITED, 0, tokens.wallet.address, data[:length])
    (told,) = [event for event in receipt.events if event.name == "Called"]
    assert told.args["data"] == data[:length]


@pytest.mark.parametrize("role", ["stranger", "looper", "owner", "liquidator"])
def test_on_adjust__by_anyone__reverts(tokens: Tokens, role: str) -> None:
    for leverage in (3, 8):
        token = tokens.token(leverage)
        for collateral, debt in ((ETHER, ETHER), (-ETHER, -ETHER)):
            with reverts("token: not the market's turn"):
                token.on_adjust(
                    token.address,
                    collateral,
                    debt,
                    NOTHING,
                    sender=getattr(tokens.scene.roles, role),
                )


@pytest.mark.parametrize("name", ["market", "router", "vault", "liquidator"])
def test_on_adjust__by_a_contract_of_the_suite_at_rest__reverts(tokens: Tokens, name: str) -> None:
    token = tokens.token(3)
    caller = tokens.scene.chain.impersonate(getattr(tokens.scene.protocol, name).address)
    with reverts("token: not the market's turn"):
        token.on_adjust(token.address, ETHER, 0, NOTHING, sender=caller)
