"""The base layer itself: the parts are real, and slashing reaches what it should."""

from collections.abc import Iterator

import pytest

from relever.artifacts import artifact
from relever.baselayer import Core, Roles, World, build_world, deploy_core, load_core
from relever.baselayer.settings import local_base_layer, network_addresses
from relever.baselayer.uniswap import sqrt_price_x96
from relever.chain import Anvil, Chain, Receipt, Revert

WAD = 10**18
ETHER = 10**18
NOBODY = "0x0000000000000000000000000000000000000000"
BURN_ADDRESS = "0x00000000000000000000000000000000000E16E4"
NO_SIGNATURE = (b"", 0)
NO_SALT = b"\0" * 32
FEE = 100  # millionths
STAKE = 29 * ETHER


@pytest.fixture(scope="module")
def base_node() -> Iterator[Anvil]:
    with Anvil.start() as node:
        yield node


@pytest.fixture(scope="module")
def built(base_node: Anvil) -> World:
    return build_world(deploy_core(Chain.connect(base_node.url)))


@pytest.fixture
def world(built: World) -> Iterator[World]:
    with built.chain.isolated():
        yield built


@pytest.fixture
def staked(world: World) -> World:
    """The depositor has put 29 wstETH into EigenLayer behind the operator."""
    core, staker = world.core, world.roles.depositor
    world.fund(staker, wsteth=STAKE)
    stake(world, STAKE)
    core.delegation_manager.delegateTo(world.roles.operator, NO_SIGNATURE, NO_SALT, sender=staker)
    return world


def stake(world: World, amount: int) -> None:
    core, staker = world.core, world.roles.depositor
    core.wsteth.approve(core.strategy_manager.address, amount, sender=staker)
    core.strategy_manager.depositIntoStrategy(
        core.wsteth_strategy.address, core.wsteth.address, amount, sender=staker
    )


def withdrawable(world: World) -> int:
    """What the depositor could take out, after slashing, in shares of the strategy."""
    shares = world.core.delegation_manager.getWithdrawableShares(
        world.roles.depositor, [world.core.wsteth_strategy.address]
    )
    return int(shares[0][0])


def queue(world: World, deposit_shares: int) -> Receipt:
    return world.core.delegation_manager.queueWithdrawals(
        [([world.core.wsteth_strategy.address], [deposit_shares], NOBODY)],
        sender=world.roles.depositor,
    )


def queued(world: World) -> list[int]:
    """What each queued withdrawal of the depositor is worth, after slashing."""
    _, shares = world.core.delegation_manager.getQueuedWithdrawals(world.roles.depositor)
    return [each[0] for each in shares]


def complete(world: World) -> int:
    """Complete the depositor's first withdrawal and return the wstETH received."""
    core, staker = world.core, world.roles.depositor
    withdrawals, _ = core.delegation_manager.getQueuedWithdrawals(staker)
    before = core.wsteth.balanceOf(staker)
    core.delegation_manager.completeQueuedWithdrawal(
        withdrawals[0], [core.wsteth.address], True, sender=staker
    )
    received: int = core.wsteth.balanceOf(staker) - before
    return received


# --- reproducible ---


def test_build__twice__same_addresses_and_same_blocks() -> None:
    seen = []
    for _ in range(2):
        with Anvil.start() as node:
            chain = Chain.connect(node.ipc)
            world = build_world(deploy_core(chain))
            world.fund(world.roles.depositor, weth=ETHER, steth=ETHER, wsteth=ETHER)
            feed = world.feed("rLRT / WETH")
            feed.answer(WAD)
            block = chain.rpc("eth_getBlockByNumber", ["latest", False])
            balances = [chain.balance(account) for account in chain.accounts]
            seen.append(
                (world.addresses(), feed.proxy.address, block["hash"], block["number"], balances)
            )
    assert seen[0] == seen[1]


def test_build__owner__has_sent_nothing(world: World) -> None:
    # So the addresses of Relever's own contracts do not depend on the base layer.
    assert world.chain.rpc("eth_getTransactionCount", [world.roles.owner, "latest"]) == "0x0"


def test_build__settings__are_in_force(world: World) -> None:
    core, settings = world.core, local_base_layer()
    assert core.delegation_manager.minWithdrawalDelayBlocks() == settings.withdrawal_delay_blocks
    assert core.allocation_manager.DEALLOCATION_DELAY() == settings.deallocation_delay_blocks
    assert core.steth.getTotalPooledEther() == (
        settings.steth_initial_stake_wei + settings.steth_initial_rewards_wei
    )
    assert core.wsteth.stEthPerToken() == 1_200_000_000_000_000_000
    assert core.uniswap_factory.feeAmountTickSpacing(FEE) == 1


def test_roles__too_few_accounts__says_how_many() -> None:
    with Anvil.start(accounts=3) as node, pytest.raises(ValueError, match="start it with"):
        Roles.of(Chain.connect(node.ipc))


# --- EigenLayer ---


def test_operator__built__allocated_whole_and_slashable(world: World) -> None:
    core, roles = world.core, world.roles
    strategy = core.wsteth_strategy.address
    assert core.delegation_manager.isOperator(roles.operator)
    assert core.allocation_manager.isOperatorSlashable(roles.operator, world.operator_set)
    allocation = core.allocation_manager.getAllocation(roles.operator, world.operator_set, strategy)
    assert (allocation.currentMagnitude, allocation.pendingDiff) == (WAD, 0)
    assert core.wsteth_strategy.underlyingToken() == core.wsteth.address


def test_stake__delegated__all_withdrawable(staked: World) -> None:
    assert withdrawable(staked) == STAKE
    assert staked.core.wsteth.balanceOf(staked.core.wsteth_strategy.address) == STAKE


def test_slash__tenth__takes_exactly_a_tenth(staked: World) -> None:
    receipt = staked.slash(WAD // 10, "double signing")

    assert withdrawable(staked) == 26_100_000_000_000_000_000
    slashed = receipt.events[-1]
    assert slashed.name == "OperatorSlashed"
    assert slashed.address == staked.core.allocation_manager.address
    assert slashed.args["operator"] == staked.roles.operator
    assert slashed.args["wadSlashed"] == [WAD // 10]
    assert slashed.args["description"] == "double signing"


def test_slash__tenth_again__takes_a_tenth_of_the_rest(staked: World) -> None:
    staked.slash(WAD // 10)
    staked.slash(WAD // 10)
    assert withdrawable(staked) == 23_490_000_000_000_000_000


def test_slash__everything__leaves_nothing_and_refuses_deposits(staked: World) -> None:
    queue(staked, STAKE // 2)
    staked.slash(WAD)
    assert (withdrawable(staked), queued(staked)) == (0, [0])
    staked.fund(staked.roles.depositor, wsteth=ETHER)
    with pytest.raises(Revert) as caught:
        stake(staked, ETHER)
    assert caught.value.reason == "FullySlashed()"


def test_slash__slashed_tokens__stay_until_anyone_burns_them(staked: World) -> None:
    core = staked.core
    staked.slash(WAD // 10)
    assert core.wsteth.balanceOf(core.wsteth_strategy.address) == STAKE

    core.strategy_manager.burnShares(core.wsteth_strategy.address, sender=staked.roles.stranger)

    assert core.wsteth.balanceOf(BURN_ADDRESS) == STAKE // 10
    assert core.wsteth.balanceOf(core.wsteth_strategy.address) == STAKE - STAKE // 10
    assert withdrawable(staked) == STAKE - STAKE // 10


def test_slash__by_stranger__reverts(staked: World) -> None:
    roles, core = staked.roles, staked.core
    set_id = staked.operator_set[1]
    with pytest.raises(Revert) as caught:
        core.allocation_manager.slashOperator(
            roles.avs,
            (roles.operator, set_id, [core.wsteth_strategy.address], [WAD], ""),
            sender=roles.stranger,
        )
    assert caught.value.reason == "InvalidPermissions()"


def test_withdrawal__slashed_while_queued__pays_the_slashed_amount(staked: World) -> None:
    queue(staked, 10 * ETHER)
    assert (withdrawable(staked), queued(staked)) == (19 * ETHER, [10 * ETHER])

    staked.slash(WAD // 10)

    assert (withdrawable(staked), queued(staked)) == (17_100_000_000_000_000_000, [9 * ETHER])
    staked.pass_withdrawal_delay()
    assert complete(staked) == 9 * ETHER
    assert queued(staked) == []


def test_withdrawal__before_its_delay__reverts(staked: World) -> None:
    start = queue(staked, ETHER).block_number
    delay = staked.core.delegation_manager.minWithdrawalDelayBlocks()
    staked.chain.mine(delay - 1)
    assert staked.chain.block_number == start + delay - 1
    with pytest.raises(Revert) as caught:
        complete(staked)  # in the block `start + delay`
    assert caught.value.reason == "WithdrawalDelayNotElapsed()"
    assert complete(staked) == ETHER  # one block later


@pytest.mark.parametrize(("blocks_late", "left"), [(0, 9 * ETHER), (1, 10 * ETHER)])
def test_withdrawal__slashed_around_the_end_of_its_delay__safe_after_it(
    staked: World, blocks_late: int, left: int
) -> None:
    start = queue(staked, 10 * ETHER).block_number
    delay = staked.core.delegation_manager.minWithdrawalDelayBlocks()
    staked.chain.mine(delay - 1 + blocks_late)
    assert staked.slash(WAD // 10).block_number == start + delay + blocks_late
    assert queued(staked) == [left]
    assert complete(staked) == left


def test_undelegate__by_operator__queues_everything_unasked(staked: World) -> None:
    core, roles = staked.core, staked.roles
    core.delegation_manager.undelegate(roles.depositor, sender=roles.operator)

    assert core.delegation_manager.delegatedTo(roles.depositor) == NOBODY
    assert (withdrawable(staked), queued(staked)) == (0, [STAKE])
    staked.slash(WAD // 10)
    assert queued(staked) == [STAKE - STAKE // 10]


# --- Lido ---


def test_lido__rewards_and_losses__move_the_rate_of_wsteth(world: World) -> None:
    world.fund(world.roles.depositor, wsteth=10 * ETHER)
    core = world.core
    shares, pooled = core.steth.getTotalShares(), core.steth.getTotalPooledEther()

    world.accrue_rewards(ETHER)
    assert core.wsteth.stEthPerToken() == WAD * (pooled + ETHER) // shares
    world.slash_validators(2 * ETHER)
    assert core.wsteth.stEthPerToken() == WAD * (pooled - ETHER) // shares
    assert core.wsteth.balanceOf(world.roles.depositor) == 10 * ETHER


def test_fund__any_token__exact_and_own_ether_kept(world: World) -> None:
    core, account = world.core, world.roles.stranger
    before = world.chain.balance(account)

    world.fund(account, weth=3 * ETHER + 1, steth=6 * ETHER, wsteth=7 * ETHER + 3)

    assert core.weth.balanceOf(account) == 3 * ETHER + 1
    assert core.steth.balanceOf(account) in (6 * ETHER - 1, 6 * ETHER)
    assert core.wsteth.balanceOf(account) == 7 * ETHER + 3
    assert world.chain.balance(account) == before


# --- Chainlink ---


def test_feed__answered__readable_through_its_proxy(world: World) -> None:
    feed = world.feed("rLRT / WETH")
    feed.answer(1_100_000_000_000_000_000)
    world.chain.advance(3_600)
    receipt = feed.answer(1_050_000_000_000_000_000)

    round_id, answer, started, updated, answered_in = feed.proxy.latestRoundData()
    assert answer == 1_050_000_000_000_000_000
    assert started == updated == receipt.timestamp
    phase, aggregator_round = 1, 2
    assert round_id == answered_in == (phase << 64) + aggregator_round
    assert (feed.proxy.decimals(), feed.proxy.description()) == (18, "rLRT / WETH")
    assert feed.proxy.aggregator() == feed.aggregator.address


def test_feed__answer_of_a_stranger__reverts(world: World) -> None:
    feed = world.feed("rLRT / WETH")
    with pytest.raises(Revert) as caught:
        feed.aggregator.submit(1, WAD, sender=world.roles.stranger)
    assert caught.value.reason == "not enabled oracle"


# --- Uniswap ---


@pytest.mark.parametrize("base_first", [True, False])
def test_sqrt_price__wad_price__squares_back(base_first: bool) -> None:
    price = 1_234_567_890_123_456_789
    root = sqrt_price_x96(price, base_is_token0=base_first)
    ratio = root**2 * WAD >> 192
    expected = price if base_first else WAD * WAD // price
    assert expected - 1 <= ratio <= expected


def test_sqrt_price__not_positive__refused() -> None:
    with pytest.raises(ValueError, match="positive price"):
        sqrt_price_x96(0, base_is_token0=True)


@pytest.mark.parametrize("base_is_wsteth", [True, False])
def test_swap__small__costs_the_fee_and_little_more(world: World, base_is_wsteth: bool) -> None:
    core, roles = world.core, world.roles
    rate = core.wsteth.stEthPerToken()
    world.fund(roles.liquidity_provider, weth=1_200 * ETHER, wsteth=1_000 * ETHER)
    if base_is_wsteth:
        arguments = (core.wsteth, core.weth, FEE, rate, 1_000 * ETHER, 1_200 * ETHER)
    else:
        arguments = (core.weth, core.wsteth, FEE, WAD**2 // rate, 1_200 * ETHER, 1_000 * ETHER)
    pool = world.pool(*arguments)
    assert core.position_manager.ownerOf(pool.position_id) == roles.liquidity_provider
    wsteth_first = pool.token0 == core.wsteth.address
    wsteth_in, weth_in = (pool.amount0, pool.amount1)[:: 1 if wsteth_first else -1]
    # Ticks are whole, so the range is not quite even on both sides, and one token is not used up.
    assert 990 * ETHER < wsteth_in <= 1_000 * ETHER
    assert 1_188 * ETHER < weth_in <= 1_200 * ETHER

    world.fund(roles.trader, wsteth=ETHER)
    world.swap(pool, core.wsteth, ETHER, roles.trader)

    received = core.weth.balanceOf(roles.trader)
    after_fee = rate * (1_000_000 - FEE) // 1_000_000
    # 1,000 wstETH within 2 % are like 100,000 everywhere: one more moves the price by 0.002 %.
    assert after_fee * 99_997 // 100_000 < received < after_fee


# --- on a fork, and by address ---


def test_fork__of_a_built_chain__same_world_lives_on(base_node: Anvil, staked: World) -> None:
    feed = staked.feed("rLRT / WETH")
    feed.answer(WAD)
    with Anvil.fork(base_node.url) as node:
        forked = staked.on(Chain.connect(node.ipc))
        assert forked.addresses() == staked.addresses()

        forked.slash(WAD // 10)
        forked_feed = feed.on(forked.chain)
        forked_feed.answer(2 * WAD)

        assert withdrawable(forked) == STAKE - STAKE // 10
        assert forked_feed.proxy.latestAnswer() == 2 * WAD
    assert withdrawable(staked) == STAKE
    assert feed.proxy.latestAnswer() == WAD


def test_build_world__on_a_core_found_by_address__slashable() -> None:
    with Anvil.start() as node:
        addresses = deploy_core(Chain.connect(node.ipc)).addresses()
        with Anvil.fork(node.url) as fork:
            world = build_world(load_core(Chain.connect(fork.url), addresses))
            world.slash(WAD // 10)


def test_load_core__strategy_not_listed__asks_the_factory_and_makes_it_once(world: World) -> None:
    core, chain = world.core, world.chain
    factory = chain.deploy(artifact("AnsweringStrategyFactory"), core.wsteth_strategy.address)
    addresses = {**core.addresses(), "strategy_factory": factory.address}
    del addresses["wsteth_strategy"]

    assert load_core(chain, addresses) == core  # makes it
    assert load_core(chain, addresses) == core  # finds it


def test_load_core__its_own_addresses__is_the_same_core(world: World) -> None:
    assert load_core(world.chain, world.core.addresses()) == world.core


def test_load_core__address_without_code__says_which(world: World) -> None:
    addresses = {**world.core.addresses(), "weth": world.roles.stranger}
    with pytest.raises(ValueError, match=r"^weth at 0x\w{40} holds no code"):
        load_core(world.chain, addresses)


def test_load_core__account_with_delegated_code__is_plain_again(world: World) -> None:
    account = world.roles.depositor
    world.chain.set_code(account, bytes.fromhex("ef0100" + "11" * 20))
    load_core(world.chain, world.core.addresses())
    assert world.chain.rpc("eth_getCode", [account, "latest"]) == "0x"


def test_load_core__missing_address__says_which(world: World) -> None:
    addresses = world.core.addresses()
    del addresses["swap_router"]
    with pytest.raises(ValueError, match="no address for swap_router"):
        load_core(world.chain, addresses)


def test_load_core__unknown_network__says_which_are_known(world: World) -> None:
    with pytest.raises(ValueError, match=r"choose one of .*mainnet"):
        load_core(world.chain, "atlantis")


def test_network_addresses__mainnet__name_the_whole_core() -> None:
    addresses = network_addresses("mainnet")
    # Asked of the factory instead.
    expected = set(Core.__dataclass_fields__) - {"chain", "wsteth_strategy"} | {"strategy_factory"}
    assert set(addresses) == expected
