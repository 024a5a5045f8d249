# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title StETHDouble
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Stands in for Lido's stETH on a local chain, with Lido's interface and Lido's rounding.
        Every wei of pooled ether is held here as ether. There are no validators, no deposit limit,
        no withdrawal queue and no fee: the `oracle` moves the rate by `accrue_rewards` and
        `slash_validators`, and nothing else does. Ether forced in past these functions is ignored.
        Never deploy it where tokens have value.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ..interfaces import IStETH

implements: IERC20
implements: IERC20Detailed
implements: IStETH


# Wei of rewards net of any fee, or of a loss, and the pooled ether (wei) after it.
event RewardsAccrued:
    amount: uint256
    pooled_ether: uint256


event ValidatorsSlashed:
    amount: uint256
    pooled_ether: uint256


name: public(constant(String[23])) = "Liquid staked Ether 2.0"
symbol: public(constant(String[5])) = "stETH"
decimals: public(constant(uint8)) = 18

# Holds the shares of the initial stake, so that there always are some; lost ether goes here too.
_DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD

# The only account that moves the rate.
oracle: public(immutable(address))

# In wei of stETH; the largest uint256 means without limit.
allowance: public(HashMap[address, HashMap[address, uint256]])

_shares: HashMap[address, uint256]
_total_shares: uint256
_pooled_ether: uint256


@deploy
@payable
def __init__(oracle_: address):
    """
    @notice The ether sent along is the initial stake, at one share per wei; nobody can redeem it.
    @param oracle_ The account that may report rewards and losses.
    """
    assert oracle_ != empty(address), "steth: zero oracle"
    assert msg.value != 0, "steth: no initial stake"
    oracle = oracle_
    self._mint(_DEAD, msg.value, msg.value)


@external
@payable
def __default__():
    assert len(msg.data) == 0, "steth: unknown function"
    self._submit(empty(address))


@external
@payable
def submit(referral: address) -> uint256:
    """
    @notice Stakes `msg.value` wei for the caller.
    @param referral Only logged.
    @return The shares minted, rounded down in favour of those who hold already.
    """
    return self._submit(referral)


@external
@payable
def accrue_rewards():
    """
    @notice Adds `msg.value` wei to the pooled ether: every balance rises.
    """
    assert msg.sender == oracle, "steth: not the oracle"
    assert msg.value != 0, "steth: zero rewards"
    pooled_ether: uint256 = self._pooled_ether + msg.value
    self._pooled_ether = pooled_ether
    log RewardsAccrued(amount=msg.value, pooled_ether=pooled_ether)


@external
def slash_validators(amount: uint256):
    """
    @notice Burns pooled ether: every balance falls.
    @param amount The loss in wei, less than all there is.
    """
    assert msg.sender == oracle, "steth: not the oracle"
    assert amount != 0, "steth: zero loss"
    assert amount < self._pooled_ether, "steth: loss takes all"
    pooled_ether: uint256 = self._pooled_ether - amount
    self._pooled_ether = pooled_ether
    log ValidatorsSlashed(amount=amount, pooled_ether=pooled_ether)
    send(_DEAD, amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves the shares that stand for `amount`, rounded down.
    @param to Neither zero nor this token.
    @param amount In wei of stETH.
    """
    self._transfer(msg.sender, to, self._to_shares_down(amount), amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Like `transfer`, out of the caller's allowance.
    @param amount In wei of stETH.
    """
    self._spend_allowance(owner, amount)
    self._transfer(owner, to, self._to_shares_down(amount), amount)
    return True


@external
def transferShares(recipient: address, shares_amount: uint256) -> uint256:
    """
    @notice Moves exactly so many shares.
    @return What they are worth, in wei of stETH, rounded down.
    """
    amount: uint256 = self._to_ether_down(shares_amount)
    self._transfer(msg.sender, recipient, shares_amount, amount)
    return amount


@external
def transferSharesFrom(sender: address, recipient: address, shares_amount: uint256) -> uint256:
    """
    @notice Like `transferShares`, out of the caller's allowance.
    @return What they are worth, in wei of stETH, rounded down.
    """
    amount: uint256 = self._to_ether_down(shares_amount)
    self._spend_allowance(sender, amount)
    self._transfer(sender, recipient, shares_amount, amount)
    return amount


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Sets what `spender` may move of the caller's.
    @param amount In wei of stETH; the largest uint256 is never used up.
    """
    assert spender != empty(address), "steth: approve to zero"
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
@view
def balanceOf(account: address) -> uint256:
    """
    @return The ether the shares of `account` stand for, in wei, rounded down.
    """
    return self._to_ether_down(self._shares[account])


@external
@view
def totalSupply() -> uint256:
    """
    @return All pooled ether, in wei; the balances add up to it but for rounding.
    """
    return self._pooled_ether


@external
@view
def getTotalPooledEther() -> uint256:
    """
    @return All pooled ether, in wei.
    """
    return self._pooled_ether


@external
@view
def getTotalShares() -> uint256:
    """
    @return All shares.
    """
    return self._total_shares


@external
@view
def sharesOf(account: address) -> uint256:
    """
    @return The shares of `account`.
    """
    return self._shares[account]


@external
@view
def getSharesByPooledEth(eth_amount: uint256) -> uint256:
    """
    @return The shares that stand for so many wei, rounded down.
    """
    return self._to_shares_down(eth_amount)


@external
@view
def getPooledEthByShares(shares_amount: uint256) -> uint256:
    """
    @return The wei that so many shares stand for, rounded down.
    """
    return self._to_ether_down(shares_amount)


@internal
@payable
def _submit(referral: address) -> uint256:
    assert msg.value != 0, "steth: zero deposit"
    shares: uint256 = self._to_shares_down(msg.value)
    log IStETH.Submitted(sender=msg.sender, amount=msg.value, referral=referral)
    self._mint(msg.sender, shares, msg.value)
    return shares


@internal
def _mint(to: address, shares: uint256, ether_in: uint256):
    self._pooled_ether += ether_in
    self._total_shares += shares
    self._shares[to] += shares
    self._log_transfer(empty(address), to, shares, self._to_ether_down(shares))


@internal
def _transfer(owner: address, to: address, shares: uint256, amount: uint256):
    assert to != empty(address), "steth: transfer to zero"
    assert to != self, "steth: transfer to token"
    assert shares <= self._shares[owner], "steth: balance exceeded"
    self._shares[owner] -= shares
    self._shares[to] += shares
    self._log_transfer(owner, to, shares, amount)


@internal
def _log_transfer(owner: address, to: address, shares: uint256, amount: uint256):
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
    log IStETH.TransferShares(sender=owner, receiver=to, sharesValue=shares)


@internal
def _spend_allowance(owner: address, amount: uint256):
    allowed: uint256 = self.allowance[owner][msg.sender]
    if allowed == max_value(uint256):
        return
    assert amount <= allowed, "steth: allowance exceeded"
    self.allowance[owner][msg.sender] = allowed - amount
    log IERC20.Approval(owner=owner, spender=msg.sender, value=allowed - amount)


@internal
@view
def _to_shares_down(eth_amount: uint256) -> uint256:
    return eth_amount * self._total_shares // self._pooled_ether


@internal
@view
def _to_ether_down(shares: uint256) -> uint256:
    return shares * self._pooled_ether // self._total_shares
