"""Who is who on a local chain or a fork."""

from __future__ import annotations

from dataclasses import dataclass, fields

from relever.chain import Chain


@dataclass(frozen=True)
class Roles:
    """One account per role, always at the same place among the node's unlocked accounts.

    `owner` deploys and owns Relever; `base_admin` deploys and owns the base layer, so that the
    owner's addresses do not depend on how the base layer was made. `avs` is a network in Symbiotic
    too, where `resolver` can veto its slashes. `treasury` receives the fees of the vault.
    """

    owner: str
    guardian: str
    allocator: str
    keeper: str
    lender: str
    depositor: str
    looper: str
    borrower: str
    liquidator: str
    stranger: str
    operator: str
    avs: str
    feed_oracle: str
    lido_oracle: str
    liquidity_provider: str
    trader: str
    base_admin: str
    resolver: str
    treasury: str

    @classmethod
    def of(cls, chain: Chain) -> Roles:
        """The accounts of a node that was started with at least as many as there are roles."""
        names = [field.name for field in fields(cls)]
        if len(chain.accounts) < len(names):
            raise ValueError(
                f"the node has {len(chain.accounts)} accounts, but there are {len(names)} roles: "
                f"start it with accounts={len(names)} or more"
            )
        return cls(**dict(zip(names, chain.accounts, strict=False)))
