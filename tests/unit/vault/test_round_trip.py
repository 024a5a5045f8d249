"""Stateless properties: from any state, in and out again never enriches."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.vault.conftest import UNLOCK_PERIOD, WAD, Setup

amounts = st.one_of(st.integers(1, 1_000), st.integers(1, 10**12), st.integers(1, 1_000 * WAD))
stakes = st.integers(0, 80 * WAD)
property_of = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def put_into_state(
    setup: Setup, rewards: int, waited: int, live: int, second_live: int, at_risk: int
) -> None:
    """100 deposited and 80 staked, then rewards, time, and gains or losses nobody has synced."""
    if rewards:
        setup.vault.pay_rewards(rewards, sender=setup.actors.payer)
    setup.chain.advance(waited)
    setup.report(live, at_risk=at_risk)
    setup.report(second_live, setup.second_adapter)


@property_of
@given(
    entry=st.sampled_from(["deposit", "mint"]),
    exit_=st.sampled_from(["redeem", "withdraw"]),
    exit_first=st.booleans(),
    amount=amounts,
    rewards=stakes,
    waited=st.integers(0, UNLOCK_PERIOD + 1),
    live=stakes,
    second_live=stakes,
    at_risk=stakes,
)
def test_round_trip__any_combination_and_state__never_enriches(
    staked: Setup,
    entry: str,
    exit_: str,
    exit_first: bool,
    amount: int,
    rewards: int,
    waited: int,
    live: int,
    second_live: int,
    at_risk: int,
) -> None:
    vault, who = staked.vault, staked.actors.depositor
    with staked.chain.isolated():
        put_into_state(staked, rewards, waited, live, second_live, at_risk)
        assets, shares = staked.token.balanceOf(who), vault.balanceOf(who)
        if exit_first:
            out = min(amount, vault.maxWithdraw(who))
            preview = vault.previewWithdraw(out) if exit_ == "withdraw" else vault.maxRedeem(who)
            if not out or not preview:
                return
            if exit_ == "withdraw":
                vault.withdraw(out, who, who, sender=who)
            else:
                burnt = min(preview, max(1, vault.convertToShares(out)))
                if not vault.previewRedeem(burnt):
                    return
                vault.redeem(burnt, who, who, sender=who)
            # Back in with the same assets, or to the same shares.
            if entry == "deposit":
                back = staked.token.balanceOf(who) - assets
                if vault.previewDeposit(back):
                    vault.deposit(back, who, sender=who)
            else:
                vault.mint(shares - vault.balanceOf(who), who, sender=who)
        else:
            if entry == "deposit":
                if not vault.previewDeposit(amount):
                    return
                vault.deposit(amount, who, sender=who)
            else:
                minted = min(amount, vault.previewDeposit(1_000 * WAD))
                vault.mint(minted, who, sender=who)
            # Out again with the same shares, or to the same assets.
            gained = vault.balanceOf(who) - shares
            if exit_ == "redeem":
                if vault.previewRedeem(gained):
                    vault.redeem(gained, who, who, sender=who)
            else:
                paid = assets - staked.token.balanceOf(who)
                if vault.previewWithdraw(paid) <= vault.balanceOf(who):
                    vault.withdraw(min(paid, vault.idle()), who, who, sender=who)
        assets_now, shares_now = staked.token.balanceOf(who), vault.balanceOf(who)
        assert not (assets_now >= assets and shares_now > shares)
        assert not (assets_now > assets and shares_now >= shares)


@property_of
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["deposit", "redeem", "sync"]), amounts),
        min_size=1,
        max_size=5,
    ),
    rewards=stakes,
    waited=st.integers(0, UNLOCK_PERIOD + 1),
    live=stakes,
    second_live=stakes,
    at_risk=stakes,
)
def test_rate__any_actions__falls_by_losses_only_and_pays_at_most_the_live_one(
    staked: Setup,
    acts: list[tuple[str, int]],
    rewards: int,
    waited: int,
    live: int,
    second_live: int,
    at_risk: int,
) -> None:
    vault, who = staked.vault, staked.actors.depositor
    with staked.chain.isolated():
        put_into_state(staked, rewards, waited, live, second_live, at_risk)
        for name, amount in acts:
            rate, live_rate = vault.rate(), vault.live_rate()
            assert live_rate <= rate
            losses = 0
            if name == "sync":
                receipt = vault.sync()
            elif name == "deposit" and vault.previewDeposit(amount):
                receipt = vault.deposit(amount, who, sender=who)
            elif name == "redeem" and vault.previewRedeem(min(amount, vault.maxRedeem(who))):
                shares = min(amount, vault.maxRedeem(who))
                receipt = vault.redeem(shares, who, who, sender=who)
                paid = receipt.events[-1].args["assets"]
                assert paid * WAD <= shares * (live_rate + 1)
            else:
                continue
            losses = sum(event.args["loss"] for event in receipt.events if event.name == "Synced")
            if not losses:
                assert vault.rate() >= rate
            # The dead shares pay for the virtual assets; everyone else is covered.
            held = sum(
                vault.convertToAssets(vault.balanceOf(holder))
                for holder in vars(staked.actors).values()
            )
            assert held <= vault.totalAssets()
