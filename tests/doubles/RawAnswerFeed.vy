# pragma version 0.4.3
"""
@title RawAnswerFeed
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A feed that answers with any bytes: too few, too many, none.
"""


decimals: public(constant(uint8)) = 18

answer: Bytes[1024]


@external
def set_answer(answer: Bytes[1024]):
    self.answer = answer


@view
@external
@raw_return
def latestRoundData() -> Bytes[1024]:
    return self.answer
