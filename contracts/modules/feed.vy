# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Reading a feed
@custom:contract-name feed
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The one place that asks a Chainlink-type feed, which may be dead, broken or hostile: it gets so
        much gas and no more, what it returns is not copied beyond a round, it can write nothing, and
        whatever it does is an answer.
@dev A call that could not give the feed its gas reverts, so that nobody can make a good feed look dead
     by starving it. Callers put their own name before the fault: concat("oracle: ", fault).
"""


struct Round:
    # Whether there is one.
    answered: bool
    answer: int256
    started_at: uint256
    updated_at: uint256


ROUND_GAS: constant(uint256) = 150_000
# A callee gets at most 63/64 of the gas; the rest is for the way to the call.
ROUND_GAS_FLOOR: constant(uint256) = ROUND_GAS * 64 // 63 + 10_000


@view
@internal
def _round(source: address) -> Round:
    """@notice The feed's latest round, unchecked."""
    assert msg.gas > ROUND_GAS_FLOOR, "feed: not enough gas"
    ok: bool = False
    data: Bytes[160] = b""
    ok, data = raw_call(
        source,
        method_id("latestRoundData()"),
        max_outsize=160,
        gas=ROUND_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not ok or len(data) != 160:
        return empty(Round)
    return Round(
        answered=True,
        answer=convert(slice(data, 32, 32), int256),
        started_at=convert(slice(data, 64, 32), uint256),
        updated_at=convert(slice(data, 96, 32), uint256),
    )


@view
@internal
def _answer(source: address, max_age: uint256) -> (uint256, uint256, String[20]):
    """
    @notice The feed's answer in its own decimals, when it was given, and what is wrong with it: an
            empty string when it is positive and at most `max_age` seconds old.
    """
    latest: Round = self._round(source)
    if not latest.answered:
        return 0, 0, "feed does not answer"
    if latest.answer <= 0:
        return 0, latest.updated_at, "bad answer"
    # An incomplete round has no time. One from the future would stay fresh for too long.
    if latest.updated_at > block.timestamp or block.timestamp - latest.updated_at > max_age:
        return 0, latest.updated_at, "stale feed"
    return convert(latest.answer, uint256), latest.updated_at, ""
