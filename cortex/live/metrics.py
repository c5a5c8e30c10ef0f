"""Counters of the live path for Prometheus; no topic and no person is a label."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("cortex_live_sockets", "Open sockets of this process")
TOPICS = Gauge("cortex_live_topics", "Topics that this process listens to")
SENT = Counter("cortex_live_events_sent", "Events handed to sockets")
REPLAYED = Counter("cortex_live_events_replayed", "Events sent to a socket that had missed them")
RELOADS = Counter("cortex_live_reloads", "Sockets told to reload because they were too far behind")
SLOW_CLOSES = Counter("cortex_live_slow_closes", "Sockets closed because their reader stalled")
REFUSED = Counter("cortex_live_refused", "Sockets refused or closed by a rule", ["code"])
HINTS = Counter("cortex_live_hints", "Hints by what became of them", ["outcome"])
HEALED = Counter("cortex_live_hints_healed", "Events found by asking the database that no hint had announced")
REDIS_CONNECTS = Counter("cortex_live_redis_connects", "Times that the hub (re)subscribed to Redis")
REDIS_UP = Gauge("cortex_live_redis_up", "1 while the hub's Redis subscription stands")
SOURCE_FAILURES = Counter("cortex_live_source_failures", "Calls of a topic's source that raised or timed out")
HUB_LAG = Gauge("cortex_live_hub_lag_seconds", "Age of the oldest announced number that was not yet sent on")
