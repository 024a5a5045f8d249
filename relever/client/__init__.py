"""Using a deployment from an account of one's own: `Client`, and `python -m relever.client`."""

from relever.client.client import Client, CloseQuote, OpenQuote, Outcome, Plan
from relever.client.live import ClientError, Live

__all__ = ["Client", "ClientError", "CloseQuote", "Live", "OpenQuote", "Outcome", "Plan"]
