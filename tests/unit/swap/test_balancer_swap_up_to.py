"""Sell all of it in a stable pool if it fetches the rate, else give it back."""

import pytest

from relever.chain import Contract, Event
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import Log
from tests.scene import ETHER, holdings, reverts
from tests.stable import Stable
from tests.unit.swap.conftest import BOTH, StableCheat, pair, send
from tests.unit.swap.test_balancer_swap import in_the_vault, sale_events


def given_back(stable: Stable, sold: Contract, amount: int, caller: str) -> list[Event]:
    """What is logged when the Vault was asked and refused."""
    log, swap, vault = Log(stable.scene), stable.swap.address, stable.balancer.vault.address
    return [
        log.approved(sold, swap, vault, amount),
        log.approved(sold, swap, vault, 0),
        log.moved(sold, swap, caller, amount),
    ]


@BOTH
@pytest.mark.parametrize("amount", [10**6 + 1, 3 * ETHER + 7, 150 * ETHER])
def test_swap_up_to__rate_that_it_just_fetches__sells_all(
    scene: Deployment, stable: Stable, direction: str, amount: int
) -> None:
    (sold, bought), caller = pair(scene, direction), scene.roles.trader
    receiver = scene.roles.keeper
    send(scene, stable.swap, sold, amount)
    out = stable.quote(sold, bought, amount)
    # The highest rate whose product, rounded up, the pool still pays.
    rate = out * WAD // amount
    assert -(-amount * rate // WAD) <= out < -(-amount * (rate + 1) // WAD)
    arguments = (sold.address, bought.address, amount)
    assert stable.swap.swap_up_to.call(*arguments, rate, receiver, sender=caller) == (amount, out)
    too_high = (*arguments, rate + 1, receiver)
    assert stable.swap.swap_up_to.call(*too_high, sender=caller) == (0, 0)
    receipt = stable.swap.swap_up_to(*arguments, rate, receiver, sender=caller)
    assert receipt.events == sale_events(stable, sold, bought, (amount, out), receiver)


@BOTH
def test_swap_up_to__rate_that_it_just_does_not_fetch__gives_all_back(
    scene: Deployment, stable: Stable, direction: str
) -> None:
    (sold, bought), caller = pair(scene, direction), scene.roles.keeper
    send(scene, stable.swap, sold, ETHER)
    rate = stable.quote(sold, bought, ETHER) + 1
    before, balances = holdings(scene, caller), stable.pool.balances()
    arguments = (sold.address, bought.address, ETHER, rate, scene.roles.stranger)
    receipt = stable.swap.swap_up_to(*arguments, sender=caller)
    assert receipt.events == given_back(stable, sold, ETHER, caller)
    name = "lrt" if sold == scene.protocol.vault else "weth"
    assert holdings(scene, caller) == {**before, name: before[name] + ETHER}
    assert stable.pool.balances() == balances


@BOTH
def test_swap_up_to__rate_of_zero__sells_all(
    scene: Deployment, stable: Stable, direction: str
) -> None:
    (sold, bought), caller = pair(scene, direction), scene.roles.keeper
    send(scene, stable.swap, sold, ETHER)
    out = stable.quote(sold, bought, ETHER)
    receipt = stable.swap.swap_up_to(sold.address, bought.address, ETHER, 0, caller, sender=caller)
    assert receipt.events == sale_events(stable, sold, bought, (ETHER, out), caller)


@pytest.mark.parametrize("rate", [2**196, 2**256 // ETHER - 2, 2**256 // ETHER, UNLIMITED])
def test_swap_up_to__rate_beyond_all__gives_all_back(
    scene: Deployment, stable: Stable, rate: int
) -> None:
    (sold, bought), caller = pair(scene, "sell lrt"), scene.roles.keeper
    send(scene, stable.swap, sold, ETHER)
    before = holdings(scene, caller)
    arguments = (sold.address, bought.address, ETHER, rate, caller)
    assert stable.swap.swap_up_to.call(*arguments, sender=caller) == (0, 0)
    stable.swap.swap_up_to(*arguments, sender=caller)
    assert holdings(scene, caller) == {**before, "lrt": before["lrt"] + ETHER}


def test_swap_up_to__pair_without_a_pool__gives_all_back(scene: Deployment, stable: Stable) -> None:
    core, caller = scene.world.core, scene.roles.keeper
    send(scene, stable.swap, core.weth, 3 * ETHER)
    for bought in (core.steth.address, core.weth.address, stable.pool.address):
        arguments = (core.weth.address, bought, ETHER, 0, scene.roles.stranger)
        assert stable.swap.swap_up_to.call(*arguments, sender=caller) == (0, 0)
        receipt = stable.swap.swap_up_to(*arguments, sender=caller)
        moved = Log(scene).moved(core.weth, stable.swap.address, caller, ETHER)
        assert receipt.events == [moved]


def test_swap_up_to__nothing__does_nothing(scene: Deployment, stable: Stable) -> None:
    (sold, bought), caller = pair(scene, "sell lrt"), scene.roles.keeper
    receipt = stable.swap.swap_up_to(sold.address, bought.address, 0, 0, caller, sender=caller)
    assert receipt.events == []


@pytest.mark.parametrize("rate", [0, WAD, UNLIMITED])
@pytest.mark.parametrize("amount", [ETHER, 2**255, UNLIMITED])
def test_swap_up_to__without_the_tokens__reverts(
    scene: Deployment, stable: Stable, amount: int, rate: int
) -> None:
    sold, bought = pair(scene, "sell lrt")
    with reverts("erc20: transfer amount exceeds balance"):
        stable.swap.swap_up_to(sold.address, bought.address, amount, rate, scene.roles.keeper)


def test_swap_up_to__pool_pushed_away_in_the_same_block__gives_all_back(
    scene: Deployment, stable: Stable
) -> None:
    (lrt, weth), caller = pair(scene, "sell lrt"), scene.roles.keeper
    send(scene, stable.swap, lrt, ETHER)
    rate = stable.quote(lrt, weth, ETHER) * 99 // 100
    attack = stable.push()
    call = stable.swap.swap_up_to.build(
        lrt.address, weth.address, ETHER, rate, caller, sender=caller
    )
    *_, pushed, kept = scene.chain.send_batch([*attack, call])
    assert pushed.block_number == kept.block_number
    assert kept.events == given_back(stable, lrt, ETHER, caller)


def test_swap_up_to__rate_of_the_pool_cannot_be_read__gives_all_back(
    scene: Deployment, stable: Stable
) -> None:
    # The pool asks for the LRT's rate in each new second, and now whoever knows it eats all gas.
    (lrt, weth), caller = pair(scene, "sell lrt"), scene.roles.keeper
    send(scene, stable.swap, lrt, ETHER)
    scene.chain.set_code(stable.rate.address, b"\xfe")
    scene.chain.advance(1)
    receipt = stable.swap.swap_up_to(lrt.address, weth.address, ETHER, 0, caller, sender=caller)
    assert receipt.events == given_back(stable, lrt, ETHER, caller)


def sell_all(cheat: StableCheat, rate: int, caller: str) -> tuple[int, int]:
    arguments = (cheat.sold.address, cheat.bought.address, ETHER, rate, cheat.pool.address)
    answer: tuple[int, int] = cheat.swap.swap_up_to.call(*arguments, sender=caller)
    cheat.swap.swap_up_to(*arguments, sender=caller)
    return answer


@pytest.mark.parametrize(
    ("paid", "rate"), [(ETHER - 1, WAD), (0, 1), (10 * ETHER + 2, WAD), (2**256 - 1, WAD)]
)
def test_swap_up_to__pool_pays_too_little_or_cannot__gives_all_back(
    scene: Deployment, stable_cheat: StableCheat, paid: int, rate: int
) -> None:
    cheat, caller = stable_cheat, scene.roles.keeper
    cheat.pool.set_terms(paid)
    assert sell_all(cheat, rate, caller) == (0, 0)
    assert cheat.sold.balanceOf(caller) == ETHER
    assert cheat.sold.balanceOf(cheat.swap.address) == 9 * ETHER
    assert cheat.allowance() == 0


def test_swap_up_to__pool_pays_just_enough__sells(
    scene: Deployment, stable_cheat: StableCheat
) -> None:
    cheat, caller = stable_cheat, scene.roles.keeper
    cheat.pool.set_terms(ETHER)
    assert sell_all(cheat, WAD, caller) == (ETHER, ETHER)
    assert cheat.bought.balanceOf(cheat.pool.address) == ETHER
    assert cheat.sold.balanceOf(caller) == 0
    assert cheat.allowance() == 0


def test_swap_up_to__part_of_a_unit__counts_as_a_unit(
    scene: Deployment, stable_cheat: StableCheat
) -> None:
    # One unit for 1e18, and so two for one more.
    cheat, caller = stable_cheat, scene.roles.keeper
    tokens = cheat.sold.address, cheat.bought.address
    for paid, amount, sold in ((1, ETHER, True), (1, ETHER + 1, False), (2, ETHER + 1, True)):
        cheat.pool.set_terms(paid)
        answer = cheat.swap.swap_up_to.call(*tokens, amount, 1, caller, sender=caller)
        assert answer == ((amount, paid) if sold else (0, 0))


@pytest.mark.parametrize("inner", ["swap", "swap_up_to"])
@pytest.mark.parametrize("by", ["pool", "sold", "bought"])
def test_swap_up_to__in_the_middle_of_a_sale__is_locked(
    scene: Deployment, stable_cheat: StableCheat, inner: str, by: str
) -> None:
    cheat = stable_cheat
    cheat.pool.set_terms(ETHER)
    hooked = cheat.set_inner_sale(by, inner)
    sell_all(cheat, WAD, scene.roles.keeper)
    assert hooked.hook_calls() == 1
    # Without a word: it is the swap's own lock, and not the Vault's.
    assert (hooked.hook_success(), hooked.hook_answer()) == (False, b"")
    assert cheat.sold.balanceOf(cheat.swap.address) == 9 * ETHER


def test_swap_up_to__token_tries_again_while_it_goes_back__is_locked(
    scene: Deployment, stable_cheat: StableCheat
) -> None:
    cheat = stable_cheat
    cheat.pool.set_terms(0)
    cheat.set_inner_sale("sold", "swap")
    assert sell_all(cheat, 1, scene.roles.keeper) == (0, 0)
    assert (cheat.sold.hook_success(), cheat.sold.hook_answer()) == (False, b"")
    assert cheat.sold.balanceOf(cheat.swap.address) == 9 * ETHER


def test_swap_up_to__in_the_middle_of_a_call_of_the_vault__gives_all_back(
    scene: Deployment, stable_cheat: StableCheat
) -> None:
    cheat = stable_cheat
    cheat.pool.set_terms(ETHER)
    cheat.set_inner_sale("pool", "swap_up_to")
    in_the_vault(cheat, scene.roles.trader)
    assert cheat.pool.hook_success() is True
    # What nobody claimed was the pool's for the asking, and the sale did not happen.
    assert cheat.sold.balanceOf(cheat.pool.address) == ETHER
    assert cheat.sold.balanceOf(cheat.swap.address) == 9 * ETHER
    assert cheat.allowance() == 0
