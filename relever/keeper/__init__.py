"""A keeper: liquidates when it pays, and keeps what everybody relies on up to date.

`make ape ARGS="run keeper --help"`, or `Keeper` in a program. It trusts neither its node nor its
own memory: what it sends is simulated, bounded on chain and written down before; what it knows is
compared with the chain at every block.
"""

from relever.keeper.config import Policy, Share, Trust
from relever.keeper.keeper import Keeper, NoEther, Options
from relever.keeper.logs import Log
from relever.keeper.metrics import Metrics
from relever.keeper.suite import DeploymentError, Suite

__all__ = [
    "DeploymentError",
    "Keeper",
    "Log",
    "Metrics",
    "NoEther",
    "Options",
    "Policy",
    "Share",
    "Suite",
    "Trust",
]
