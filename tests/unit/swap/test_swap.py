import pytest

from relever.artifacts import artifact
from relever.protocol import Deployment
from tests.lrt_paths import Log, pool_sale
from tests.scene import ETHER, reason_of, reverts
from tests.unit.swap.conftest import BOTH, Cheat, pair, send

Q96 = 2**96


def test_create__pools__are_found_both_ways(scene: Deployment) -> None:
    swap, core = scene.protocol.swap, scene.world.core
    for pool, token in ((scene.lrt_pool, scene.protocol.vault), (scene.lst_pool, core.wsteth)):
        assert swap.pool_of(token.address, core.weth.address) == pool.address
        assert swap.pool_of(core.weth.address, token.address) == pool.address


def test_create__two_pools_for_a_pair__reverts(scene: Deployment) -> None:
    pools = [scene.lrt_pool.address, scene.lst_pool.address, scene.lrt_pool.address]
    with reverts("swap: two pools for a pair"):
        scene.chain.deploy(artifact("UniswapV3Swap"), pools)


@BOTH
def test_swap__each_direction__pays_what_the_pool_must(scene: Deployment, direction: str) -> None:
    swap, trader = scene.protocol.swap, scene.roles.trader
    receiver, amount = scene.roles.stranger, 3 * ETHER + 7
    sold, bought = pair(scene, direction)
    send(scene, swap, sold, amount)
    sale = pool_sale(scene.lrt_pool, sold.address, amount)
    log = Log(scene)
    arguments = (sold.address, bought.address, amount, sale.amount_out, receiver)
    assert swap.swap.call(*arguments, sender=trader) == sale.amount_out

    receipt = swap.swap(*arguments, sender=trader)

    assert bought.balanceOf(receiver) == sale.amount_out
    amounts = (amount, -sale.amount_out)
    assert receipt.events[:2] == [
        log.moved(bought, scene.lrt_pool.address, receiver, sale.amount_out),
        log.moved(sold, swap.address, scene.lrt_pool.address, amount),
    ]
    told = receipt.events[2].args
    assert (told["amount0"], told["amount1"]) == (amounts if sale.sold0 else amounts[::-1])
    assert len(receipt.events) == 3


def test_swap__below_the_bound__reverts(scene: Deployment) -> None:
    swap, (vault, weth) = scene.protocol.swap, pair(scene, "sell lrt")
    with scene.chain.isolated():
        send(scene, swap, vault, ETHER)
        out = pool_sale(scene.lrt_pool, vault.address, ETHER).amount_out
        with reverts("swap: too little out"):
            swap.swap(vault.address, weth.address, ETHER, out + 1, scene.roles.stranger)
        assert vault.balanceOf(swap.address) == ETHER


def test_swap__no_pool_for_the_pair__reverts(scene: Deployment) -> None:
    vault, core = scene.protocol.vault.address, scene.world.core
    for tokens in (
        (vault, core.wsteth.address),
        (vault, vault),
        (core.steth.address, core.weth.address),
    ):
        with reverts("swap: no pool"):
            scene.protocol.swap.swap(*tokens, ETHER, 0, scene.roles.stranger)


@pytest.mark.parametrize("amount", [0, 2**255, 2**256 - 1])
def test_swap__amount_that_no_pool_takes__reverts(scene: Deployment, amount: int) -> None:
    vault, weth = scene.protocol.vault.address, scene.world.core.weth.address
    with reverts("swap: amount"):
        scene.protocol.swap.swap(vault, weth, amount, 0, scene.roles.stranger)


def test_swap__more_than_the_pool_can_take__reverts(scene: Deployment) -> None:
    swap, (vault, weth) = scene.protocol.swap, pair(scene, "sell lrt")
    with scene.chain.isolated():
        send(scene, swap, vault, 500 * ETHER)
        before = scene.lrt_pool.contract.slot0()[0]
        with reverts("swap: not enough liquidity"):
            swap.swap(vault.address, weth.address, 500 * ETHER, 0, scene.roles.stranger)
        assert scene.lrt_pool.contract.slot0()[0] == before


def test_swap__without_the_tokens__reverts(scene: Deployment) -> None:
    vault, weth = scene.protocol.vault.address, scene.world.core.weth.address
    with reverts("erc20: transfer amount exceeds balance"):
        scene.protocol.swap.swap(vault, weth, ETHER, 0, scene.roles.stranger)


@pytest.mark.parametrize("role", ["stranger", "owner", "keeper"])
def test_callback__by_anyone__reverts(scene: Deployment, role: str) -> None:
    with reverts("swap: not the active pool"):
        scene.protocol.swap.uniswapV3SwapCallback(1, 0, b"", sender=getattr(scene.roles, role))


def test_callback__by_a_pool_at_rest__reverts(scene: Deployment) -> None:
    pool = scene.chain.impersonate(scene.lrt_pool.address)
    with reverts("swap: not the active pool"):
        scene.protocol.swap.uniswapV3SwapCallback(1, 0, b"", sender=pool)


def swap_whole(cheat: Cheat, min_out: int = 0) -> None:
    cheat.swap.swap(cheat.sold.address, cheat.bought.address, ETHER, min_out, cheat.pool.address)


def test_swap__honest_terms__passes_with_a_limit_a_twentieth_below(cheat: Cheat) -> None:
    cheat.pool.set_terms(ETHER, ETHER, ETHER)
    swap_whole(cheat, min_out=ETHER)
    assert cheat.sold.balanceOf(cheat.pool.address) == ETHER
    assert cheat.pool.limit() == Q96 - Q96 // 20


def test_swap__other_direction__limit_is_above(cheat: Cheat) -> None:
    cheat.pool.set_terms(-ETHER, -ETHER, -ETHER)
    cheat.bought.mint(cheat.swap.address, ETHER)
    cheat.swap.swap(cheat.bought.address, cheat.sold.address, ETHER, 0, cheat.pool.address)
    assert cheat.pool.limit() == Q96 + Q96 // 20
    assert cheat.bought.balanceOf(cheat.pool.address) == 11 * ETHER


@pytest.mark.parametrize("claimed", [ETHER - 1, ETHER + 1, -ETHER, 0])
def test_swap__pool_took_another_amount__reverts(cheat: Cheat, claimed: int) -> None:
    cheat.pool.set_terms(ETHER, claimed, ETHER)
    with reverts("swap: not enough liquidity"):
        swap_whole(cheat)


@pytest.mark.parametrize(("claimed", "min_out"), [(-1, 0), (-ETHER, 0), (ETHER, ETHER + 1)])
def test_swap__pool_gave_too_little__reverts(cheat: Cheat, claimed: int, min_out: int) -> None:
    cheat.pool.set_terms(ETHER, ETHER, claimed)
    with reverts("swap: too little out"):
        swap_whole(cheat, min_out)


def test_swap__token_answers_false__reverts(cheat: Cheat) -> None:
    cheat.pool.set_terms(ETHER, ETHER, ETHER)
    cheat.sold.set_answer((0).to_bytes(32, "big"))
    with reverts("token: transfer failed"):
        swap_whole(cheat)


def test_callback__after_a_swap_in_the_same_transaction__reverts(cheat: Cheat) -> None:
    cheat.pool.set_terms(ETHER, ETHER, ETHER)
    call = cheat.swap.swap.encode(
        cheat.sold.address, cheat.bought.address, ETHER, 0, cheat.pool.address
    )
    arguments = (cheat.swap.address, call, ETHER)
    success, answer = cheat.pool.swap_and_ask_again.call(*arguments)
    assert not success
    assert reason_of(answer) == "swap: not the active pool"
    cheat.pool.swap_and_ask_again(*arguments)
    assert cheat.sold.balanceOf(cheat.swap.address) == 9 * ETHER


def test_swap__in_the_middle_of_a_swap__is_locked(cheat: Cheat) -> None:
    cheat.pool.set_terms(ETHER, ETHER, ETHER)
    again = cheat.swap.swap.encode(
        cheat.sold.address, cheat.bought.address, ETHER, 0, cheat.pool.address
    )
    # The token sold is asked to start another swap while it is paid to the pool.
    cheat.sold.set_hook(cheat.swap.address, again)
    swap_whole(cheat)
    assert cheat.sold.hook_calls() == 1
    assert (cheat.sold.hook_success(), cheat.sold.hook_answer()) == (False, b"")
