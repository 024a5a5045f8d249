import pytest

from relever.chain import Event
from relever.protocol import UNLIMITED, WAD
from tests.leveraged import Tokens
from tests.scene import DAY, reverts

PERIOD = 14 * DAY


def debt_share(tokens: Tokens) -> int:
    state = tokens.market.state()
    return int((state.borrow_assets + 1) * 10**24 // (state.borrow_shares + 10**6))


def booked(tokens: Tokens) -> int:
    rate = tokens.vault.rate()
    return int(rate * tokens.scene.world.core.wsteth.stEthPerToken())


def look(tokens: Tokens, leverage: int) -> tuple[int, bool]:
    """Anyone looks; what was logged."""
    token = tokens.token(leverage)
    receipt = token.checkpoint(sender=tokens.scene.roles.stranger)
    (event,) = receipt.events
    assert (event.name, event.address) == ("Checkpointed", token.address)
    return event.args["stepped"], event.args["costly"]


@pytest.mark.parametrize(("leverage", "step"), [(3, WAD // 4), (8, WAD // 2)])
def test_checkpoint__debt_grew_more__steps_the_band_down(
    tokens: Tokens, leverage: int, step: int
) -> None:
    token, stranger = tokens.token(leverage), tokens.scene.roles.stranger
    least, target, most = token.band()
    tokens.wait(PERIOD)
    receipt = token.checkpoint(sender=stranger)
    logged = {"stepped": step, "costly": True}
    assert receipt.events == [Event("Checkpointed", logged, token.address)]
    lower = target - step
    assert token.band() == (least * lower // target, lower, most * lower // target)
    assert token.last_checkpoint() == (booked(tokens), debt_share(tokens), receipt.timestamp)


def test_checkpoint__collateral_grew_as_much__does_not_step(tokens: Tokens) -> None:
    """Where neither gains on the other nothing is costly; one unit of debt more is."""
    token, chain = tokens.token(8), tokens.scene.chain
    tokens.wait(PERIOD)
    then_collateral, then_debt, _ = token.last_checkpoint()
    pooled = tokens.scene.world.core.steth.getTotalPooledEther()
    low, high = 0, pooled // 10

    def costly(reward: int) -> bool:
        with chain.isolated():
            if reward:
                tokens.scene.world.accrue_rewards(reward)
            expected = debt_share(tokens) * then_collateral > booked(tokens) * then_debt
            found = look(tokens, 8)[1]
            assert found == expected
            return found

    assert costly(low)
    assert not costly(high)
    while high - low > pooled // 10**9:
        middle = (low + high) // 2
        low, high = (middle, high) if costly(middle) else (low, middle)


def test_checkpoint__costly_for_long__steps_down_to_the_floor_and_back(tokens: Tokens) -> None:
    token = tokens.token(8)
    steps = []
    for _ in range(12):
        tokens.wait(PERIOD)
        steps.append(look(tokens, 8))
    assert steps == [(min(n * WAD // 2, 5 * WAD), True) for n in range(1, 13)]
    assert token.band() == (27 * WAD // 10, 3 * WAD, 89 * 3 * WAD // 80)
    steps = []
    for _ in range(12):
        tokens.wait(PERIOD)
        tokens.gain(WAD // 100)
        steps.append(look(tokens, 8))
    assert steps == [(max(5 * WAD - n * WAD // 2, 0), False) for n in range(1, 13)]
    assert token.band() == (72 * WAD // 10, 8 * WAD, 89 * WAD // 10)


def test_checkpoint__before_its_time__reverts(tokens: Tokens) -> None:
    """Looking often does nothing: each look begins a period."""
    token, stranger = tokens.token(3), tokens.scene.roles.stranger
    elapsed = tokens.scene.chain.timestamp - token.last_checkpoint().time
    tokens.scene.chain.advance(PERIOD - elapsed - 1)
    with reverts("token: period not over"):
        token.checkpoint(sender=stranger)
    tokens.scene.chain.advance(1)
    token.checkpoint(sender=stranger)
    with reverts("token: period not over"):
        token.checkpoint(sender=stranger)
    tokens.scene.chain.advance(PERIOD - 1)
    with reverts("token: period not over"):
        token.checkpoint(sender=stranger)


def test_checkpoint__after_many_periods__steps_once(tokens: Tokens) -> None:
    tokens.wait(20 * PERIOD)
    assert look(tokens, 8) == (WAD // 2, True)


def test_checkpoint__a_slash_between__counts_once(tokens: Tokens) -> None:
    """The period of the slash is a costly one; the next is measured from the rate after it."""
    tokens.wait(PERIOD // 2)
    tokens.lose(WAD // 20)
    tokens.wait(PERIOD // 2)
    tokens.gain(WAD // 200)
    assert look(tokens, 8) == (WAD // 2, True)
    tokens.wait(PERIOD)
    tokens.gain(WAD // 200)
    assert look(tokens, 8) == (0, False)


def test_checkpoint__dead_feed_and_unreadable_adapter__works(tokens: Tokens) -> None:
    tokens.scene.chain.set_code(tokens.scene.protocol.eigenlayer.address, b"")
    tokens.scene.chain.advance(PERIOD)
    assert look(tokens, 3) == (WAD // 4, True)


def test_checkpoint__stepped_down__opens_an_auction_that_leads_to_the_new_target(
    tokens: Tokens,
) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    for _ in range(2):
        tokens.wait(PERIOD)
        look(tokens, 8)
    assert token.leverage() > token.band()[2]
    tokens.start(token, 7_200)
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert 7 * WAD <= token.leverage() <= 7 * WAD + 1_000
