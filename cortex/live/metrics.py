"""Counters of the live path for Prometheus; no topic and no person is a label."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from cortex.ops.metrics import REGISTRY

SOCKETS = Gauge("cortex_live_sockets", "Open sockets of this process", registry=REGISTRY)
TOPICS = Gauge("cortex_live_topics", "Topics that this process listens to", registry=REGISTRY)
SENT = Counter("cortex_live_events_sent", "Events handed to sockets", registry=REGISTRY)
REPLAYED = Counter(
    "cortex_live_events_replayed", "Events sent to a socket that had missed them", registry=REGISTRY
)
RELOADS = Counter(
    "cortex_live_reloads", "Sockets told to reload because they were too far behind", registry=REGISTRY
)
SLOW_CLOSES = Counter(
    "cortex_live_slow_closes", "Sockets closed because their reader stalled", registry=REGISTRY
)
REFUSED = Counter("cortex_live_refused", "Sockets refused or closed by a rule", ["code"], registry=REGISTRY)
HINTS = Counter("cortex_live_hints", "Hints by what became of them", ["outcome"], registry=REGISTRY)
HEALED = Counter(
    "cortex_live_hints_healed",
    "Events found by asking the database that no hint had announced",
    registry=REGISTRY,
)
REDIS_CONNECTS = Counter(
    "cortex_live_redis_connects", "Times that the hub (re)subscribed to Redis", registry=REGISTRY
)
REDIS_UP = Gauge("cortex_live_redis_up", "1 while the hub's Redis subscription stands", registry=REGISTRY)
SOURCE_FAILURES = Counter(
    "cortex_live_source_failures", "Calls of a topic's source that raised or timed out", registry=REGISTRY
)
HUB_LAG = Gauge(
    "cortex_live_hub_lag_seconds",
    "Age of the oldest announced number that was not yet sent on",
    registry=REGISTRY,
)
