# pragma version 0.4.3
"""
@title Failing with a reason
@custom:contract-name checks
@license GNU Affero General Public License v3.0 only
@author Relever
@notice `if wrong: checks._fail("contract: reason")` instead of `assert right, "contract: reason"` where
        a contract is near the limit of code size: each assertion carries its own copy of the code that
        reverts with a string, some forty bytes. Right costs the same gas either way.
"""


@internal
@pure
def _fail(reason: String[32]):
    raise reason
