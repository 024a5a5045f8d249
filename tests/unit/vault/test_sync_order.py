"""No order or repetition of bookings and actions in a block changes what who leaves gets and who
enters pays, but for rounding."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.chain import Contract
from tests.unit.vault.conftest import DAY, UNLIMITED, WAD, Exits, assets_down, assets_up

# What anyone may have done before whoever acts next, all in one second.
STEPS = [
    "sync", "finish first", "finish second", "deposit", "mint", "withdraw", "redeem", "request",
    "cancel", "finalize", "claim", "transfer", "send", "pay",
]  # fmt: skip
HELD = 10 * WAD

terms = st.fixed_dictionaries(
    {
        "rewards": st.one_of(st.just(0), st.integers(1, 20 * WAD)),
        "buffer": st.one_of(st.just(0), st.integers(1, 60 * WAD)),
        "fee": st.integers(0, 2 * 10**17),
        "first": st.integers(0, 80 * WAD),
        "first_exit": st.integers(0, 10 * WAD),
        "second": st.integers(0, 40 * WAD),
        "at_risk": st.one_of(st.just(0), st.integers(1, 30 * WAD)),
    }
)
amounts = st.one_of(st.integers(2, 1_000), st.integers(2, 30 * WAD))


def put_into_state(exits: Exits, terms: dict[str, int]) -> None:
    """Fees, rewards half unlocked, an exit in either adapter, and changes nobody has booked."""
    setup, vault, actors = exits.setup, exits.setup.vault, exits.setup.actors
    vault.set_exit_fee(terms["buffer"], 10**16, sender=actors.owner)
    vault.set_performance_fee(terms["fee"], actors.stranger, sender=actors.owner)
    vault.transfer(actors.holder, HELD, sender=actors.depositor)
    if terms["rewards"]:
        vault.pay_rewards(terms["rewards"], sender=actors.payer)
        setup.chain.advance(3 * DAY)
    for adapter in (setup.adapter, setup.second_adapter):
        vault.deallocate(adapter.address, 10 * WAD, sender=actors.allocator)
    # What an exit sends is what it is worth: an adapter that lies is another story.
    setup.adapter.set_value(terms["first"], terms["first_exit"])
    setup.adapter.set_exit(0, terms["first_exit"], 0)
    # Nor can a slash reach what is about to come home.
    setup.adapter.set_at_risk(min(terms["first"], terms["at_risk"]))
    setup.second_adapter.set_value(terms["second"], 10 * WAD)


def drift(terms: dict[str, int], units: int) -> int:
    """What a price may gain: rounding, unless a slash is visible.

    Then who enters, and the shares of a fee, take over a part of it; who leaves pays for his.
    """
    return UNLIMITED if terms["at_risk"] else units


class Crowd:
    """The depositor and a newcomer, who do anything that is possible."""

    def __init__(self, exits: Exits) -> None:
        self.setup, self.queue = exits.setup, exits.queue
        self.vault = exits.setup.vault
        self.unfinished = {"first": exits.setup.adapter, "second": exits.setup.second_adapter}

    def do(self, step: str, who: str, amount: int) -> None:
        vault, queue = self.vault, self.queue
        match step.split():
            case ["sync"]:
                vault.sync()
            case ["finish", which] if which in self.unfinished:
                adapter: Contract = self.unfinished.pop(which)
                vault.finish_exit(adapter.address, 0)
            case ["deposit"] if vault.previewDeposit(amount):
                vault.deposit(amount, who, sender=who)
            case ["mint"]:
                vault.mint(amount, who, sender=who)
            case ["withdraw"] if assets := min(amount, vault.maxWithdraw(who)):
                vault.withdraw(assets, who, who, sender=who)
            case ["redeem"] if vault.previewRedeem(min(amount, vault.maxRedeem(who))):
                vault.redeem(min(amount, vault.maxRedeem(who)), who, who, sender=who)
            case ["request"] if vault.balanceOf(who) > amount > WAD // 100:
                queue.requestRedeem(amount, who, who, sender=who)
            case ["cancel"]:
                id = queue.next_id() - 1
                if queue.request(id).shares:
                    queue.cancel(id, sender=queue.request(id).controller)
            case ["finalize"]:
                queue.finalize(2)
            case ["claim"] if queue.request(1).claimable_shares:
                queue.claim(1, who, sender=queue.request(1).controller)
            case ["transfer"]:
                shares = min(amount, vault.balanceOf(who))
                vault.transfer(self.setup.actors.attacker, shares, sender=who)
            case ["pay"]:
                vault.pay_rewards(amount, sender=self.setup.actors.payer)
            case ["send"]:
                self.setup.token.transfer(vault.address, amount, sender=who)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    terms=terms,
    steps=st.lists(
        st.tuples(st.sampled_from(STEPS), st.sampled_from(["depositor", "attacker"]), amounts),
        min_size=1,
        max_size=10,
    ),
)
def test_prices__any_steps_of_others_in_the_same_second__move_by_rounding_only(
    exits: Exits, terms: dict[str, int], steps: list[tuple[str, str, int]]
) -> None:
    """For the holder of ten shares who leaves at last, and for who buys as many."""
    setup, vault = exits.setup, exits.setup.vault
    if any(step == "finalize" for step, _, _ in steps):
        # What a visible slash takes off a request is locked: see the queue.
        terms = terms | {"at_risk": 0}

    def prices() -> tuple[int, int]:
        supply = vault.totalSupply()
        return (
            assets_down(HELD, vault.live_total_assets(True), supply),
            assets_up(HELD, vault.live_total_assets(False), supply),
        )

    with setup.chain.isolated():
        put_into_state(exits, terms)
        now = setup.chain.timestamp
        out, in_ = prices()
        crowd = Crowd(exits)
        for step, who, amount in steps:
            crowd.do(step, getattr(setup.actors, who), amount)
        assert setup.chain.timestamp == now
        out_after, in_after = prices()
        # Each step may leave two units to those who hold shares, and takes none.
        assert out <= out_after <= out + drift(terms, 2 * len(steps))
        assert in_ <= in_after <= in_ + drift(terms, 2 * len(steps))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    terms=terms,
    times=st.integers(1, 4),
    order=st.permutations(["first", "second"]),
    shares=st.integers(10**6, HELD),
)
def test_redeem__adapters_synced_and_exits_finished_in_any_order__pays_the_same(
    exits: Exits, terms: dict[str, int], times: int, order: list[str], shares: int
) -> None:
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.holder
    terms = terms | {"buffer": 0}
    with setup.chain.isolated():
        put_into_state(exits, terms)
        at_once = vault.redeem.call(shares, who, who, sender=who)
        crowd = Crowd(exits)
        for which in order:
            for _ in range(times):
                vault.sync()
            crowd.do(f"finish {which}", who, 0)
        later = vault.redeem.call(shares, who, who, sender=who)
        assert at_once <= later <= at_once + drift(terms, 2)
        missing = vault.unrecovered_loss()
    with setup.chain.isolated():
        put_into_state(exits, terms)
        vault.sync()
        assert vault.unrecovered_loss() == missing
