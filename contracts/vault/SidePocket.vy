# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title SidePocket
@custom:contract-name SidePocket
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a vault's adapter under quarantine gives back belongs to the shares that there were then.
        A share carries its part along when it is transferred; when it is burnt, its part becomes a
        claim of its owner here. Shares minted later have paid for the part that they take over.
@dev Assets in the asset's unit, parts scaled by 1e36, shares in the vault's unit. For each adapter, the
     shares' part and the claims add up to no more than the whole; minting does not change them.
     Rounding: a claim and what is paid on it down, what the vault sends for the claims up.
     Shares that wait in the withdrawal queue leave with a claim of their request's controller. Shares
     that a market or a pool burns leave with a claim of that contract's.
     Tokens sent here without a call stay here and count nowhere.
"""
from ethereum.ercs import IERC4626

from ..interfaces import IOwned
from ..interfaces import ISidePocket
from ..modules import token

implements: ISidePocket


struct Claim:
    part: uint256
    # Assets owed for earlier returns, and the returns up to which they are counted.
    owed: uint256
    counted: uint256


WHOLE: constant(uint256) = 10**36
# Those of the vault's list, and those that came to it afterwards.
MAX_ADAPTERS: constant(uint256) = 16

vault: public(immutable(address))
asset: public(immutable(address))

_adapters: DynArray[address, MAX_ADAPTERS]
# What was written off and is not back yet, and what of it who enters the vault still pays for.
owed_of: public(HashMap[address, uint256])
expected_of: public(HashMap[address, uint256])
shares_part: public(HashMap[address, uint256])
# What an adapter has given back of what it owes.
returned: public(HashMap[address, uint256])
_claims: HashMap[address, HashMap[address, Claim]]


@deploy
def __init__(vault_: address):
    vault = vault_
    asset = staticcall IERC4626(vault_).asset()


@external
def open(adapter: address, expected: uint256):
    """@notice A quarantine begins. Vault only."""
    self._check_vault()
    assert len(self._adapters) < MAX_ADAPTERS, "pocket: too many adapters"
    self._adapters.append(adapter)
    self.owed_of[adapter] = expected
    self.expected_of[adapter] = expected
    self.shares_part[adapter] = WHOLE
    log ISidePocket.Opened(adapter=adapter, expected=expected)


@external
def leave(account: address, shares: uint256, supply: uint256):
    """
    @notice Of `supply`, `shares` of an account are about to be burnt. Vault only.
    @dev An adapter that owes nothing more leaves no claims: they would cost every exit.
    """
    self._check_vault()
    for adapter: address in self._adapters:
        if self.owed_of[adapter] == 0:
            continue
        whole: uint256 = self.shares_part[adapter]
        # Fee shares that came after the pricing make `supply` a little less than there are.
        part: uint256 = min(whole, whole * shares // supply)
        self.shares_part[adapter] = whole - part
        claim: Claim = self._counted(adapter, account)
        claim.part += part
        self._claims[adapter][account] = claim
        log ISidePocket.Left(adapter=adapter, account=account, part=part)


@external
def share_out(adapter: address, amount: uint256) -> (uint256, uint256):
    """
    @notice An adapter has given `amount` back. Vault only.
    @return What of it the vault must send here for the claims, and what of the rest was expected.
    """
    self._check_vault()
    kept: uint256 = self.shares_part[adapter]
    # Beyond what was written off all is the shares': it was theirs alone, or was never booked.
    owed: uint256 = min(amount, self.owed_of[adapter])
    left: uint256 = (owed * (WHOLE - kept) + WHOLE - 1) // WHOLE
    expected: uint256 = min(amount, self.expected_of[adapter])
    self.owed_of[adapter] -= owed
    self.expected_of[adapter] -= expected
    self.returned[adapter] += owed
    log ISidePocket.Recovered(adapter=adapter, amount=amount, left=left)
    return left, min(expected * kept // WHOLE, amount - left)


@external
def lower_expectation(adapter: address, expected: uint256):
    """@notice Expect less of an adapter, so that it costs who enters less. The vault's owner only."""
    owner: address = staticcall IOwned(vault).owner()
    assert msg.sender == owner, "pocket: not the vault's owner"
    assert expected < self.expected_of[adapter], "pocket: only lower"
    self.expected_of[adapter] = expected
    log ISidePocket.ExpectationLowered(adapter=adapter, expected=expected)


@external
def claim(adapter: address, account: address) -> uint256:
    """@notice Pay an account what has come back for it. Open to anyone. @return Assets paid."""
    claim: Claim = self._counted(adapter, account)
    assets: uint256 = claim.owed
    assert assets != 0, "pocket: nothing to claim"
    claim.owed = 0
    self._claims[adapter][account] = claim
    token._push(asset, account, assets)
    log ISidePocket.Claimed(adapter=adapter, account=account, assets=assets)
    return assets


@external
def hand_over(to: address):
    """@notice Give all claims of the caller to another account, as one does who left for it."""
    for adapter: address in self._adapters:
        given: Claim = self._counted(adapter, msg.sender)
        if given.part == 0 and given.owed == 0:
            continue
        self._claims[adapter][msg.sender] = Claim(part=0, owed=0, counted=given.counted)
        taken: Claim = self._counted(adapter, to)
        taken.part += given.part
        taken.owed += given.owed
        self._claims[adapter][to] = taken
        log ISidePocket.HandedOver(
            adapter=adapter, account=msg.sender, to=to, part=given.part, owed=given.owed
        )


@view
@external
def adapter_count() -> uint256:
    """@notice Number of adapters that were put under quarantine."""
    return len(self._adapters)


@view
@external
def adapter_at(index: uint256) -> address:
    """@notice The adapter at `index`, in the order of their quarantines."""
    return self._adapters[index]


@view
@external
def expected() -> uint256:
    """@notice What the shares may still expect of all adapters, each rounded up."""
    total: uint256 = 0
    for adapter: address in self._adapters:
        total += (self.expected_of[adapter] * self.shares_part[adapter] + WHOLE - 1) // WHOLE
    return total


@view
@external
def claim_of(adapter: address, account: address) -> uint256:
    """@notice The part of what an adapter gives back that goes to an account, scaled by 1e36."""
    return self._claims[adapter][account].part


@view
@external
def claimable(adapter: address, account: address) -> uint256:
    """@notice Assets that `claim` would pay now."""
    return self._counted(adapter, account).owed


@internal
@view
def _counted(adapter: address, account: address) -> Claim:
    """@notice A claim with all returns until now counted."""
    claim: Claim = self._claims[adapter][account]
    returned: uint256 = self.returned[adapter]
    claim.owed += claim.part * (returned - claim.counted) // WHOLE
    claim.counted = returned
    return claim


@internal
@view
def _check_vault():
    assert msg.sender == vault, "pocket: not the vault"
