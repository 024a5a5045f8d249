"""What Prometheus reads of a keeper."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server


class Metrics:
    """A registry of its own, so that several keepers fit into one process.

    Amounts are in ether as floats: for a look, never for a decision.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.head_block = self._gauge("head_block", "Number of the last block looked at")
        self.head_seen = self._gauge("head_seen_timestamp_seconds", "When that was, by our clock")
        self.trusted = self._gauge("node_trusted", "1 while the node is believed, else 0")
        self.balance = self._gauge("balance_ether", "Of the account")
        self.watched = self._gauge("positions_watched", "Positions with debt")
        self.candidates = self._gauge("positions_breached", "Liquidatable or deleverageable now")
        self.in_flight = self._gauge("transactions_in_flight", "Sent and not mined")
        self.sent = self._counter("transactions_sent", "First attempts", "kind")
        self.replaced = self._counter("transactions_replaced", "Sent again for more", "why")
        self.mined = self._counter("transactions_mined", "By what came of them", "kind", "result")
        self.gas = self._counter("gas_ether", "Spent", "kind")
        self.profit = self._counter("profit_ether", "Of liquidations, before gas")
        self.skipped = self._counter("acts_skipped", "Found and not sent", "why")
        self.refusals = self._counter("node_refusals", "Looks at which the node was not believed")
        self.failures = self._counter("node_failures", "Requests that failed or timed out")
        self.reorgs = self._counter("reorganisations", "Seen")
        self.look = Histogram(
            "look_seconds", "For one block", namespace="keeper", registry=self.registry
        )

    def serve(self, port: int, host: str = "127.0.0.1") -> int:
        """Answer Prometheus at http://host:port/metrics, in a thread; the port, of 0 a free one."""
        server, _ = start_http_server(port, addr=host, registry=self.registry)
        return int(server.server_port)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, namespace="keeper", registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="keeper", registry=self.registry)
