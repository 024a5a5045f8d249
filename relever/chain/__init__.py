"""A local chain to build and test on: Anvil, a fast JSON-RPC client, contracts by ABI."""

from relever.chain.abi import Event
from relever.chain.anvil import Anvil, AnvilError
from relever.chain.chain import Chain
from relever.chain.contract import Call, Contract, Method, Ran, Receipt, Revert
from relever.chain.rpc import Rpc, RpcError

__all__ = [
    "Anvil",
    "AnvilError",
    "Call",
    "Chain",
    "Contract",
    "Event",
    "Method",
    "Ran",
    "Receipt",
    "Revert",
    "Rpc",
    "RpcError",
]
