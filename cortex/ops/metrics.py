"""This process's Prometheus figures: requests by route, and what other features count; no ids, no content."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)

requests_total = Counter(
    "cortex_requests_total", "Answered requests.", ["method", "route", "status"], registry=REGISTRY
)
request_seconds = Histogram(
    "cortex_request_seconds", "Time to the answer.", ["route"], buckets=BUCKETS, registry=REGISTRY
)
ready = Gauge(
    "cortex_ready", "1 when a part answered at the last readiness check.", ["part"], registry=REGISTRY
)
heartbeat_age = Gauge(
    "cortex_heartbeat_age_seconds", "Seconds since a machine last ran.", ["name"], registry=REGISTRY
)
trail_holds = Gauge(
    "cortex_trail_holds", "1 when the last daily walk found every row of the trail.", registry=REGISTRY
)
watchdog_holds = Gauge(
    "cortex_watchdog_holds", "1 when the watchdog's last round found nothing wrong.", registry=REGISTRY
)
overdue_alerts = Gauge(
    "cortex_overdue_alerts", "Waiting alerts whose next call is overdue, by the watchdog.", registry=REGISTRY
)
canary_seconds = Gauge(
    "cortex_canary_seconds", "From raising a canary to its arrival at a real socket.", registry=REGISTRY
)
disk_used = Gauge(
    "cortex_disk_used_ratio", "How full the disk of a known folder is, 0 to 1.", ["folder"], registry=REGISTRY
)
queue_length = Gauge("cortex_queue_length", "Celery messages that wait.", registry=REGISTRY)

dead_letters = Gauge(
    "cortex_dead_letters", "What was given up and waits for a person.", ["kind"], registry=REGISTRY
)
late_slots = Gauge(
    "cortex_late_slots", "Slots of the timetable that nobody did for half an hour.", registry=REGISTRY
)

csp_violations = Counter(
    "cortex_csp_violations_total",
    "What browsers said that the content policy stopped.",
    ["directive", "source"],
    registry=REGISTRY,
)
csp_reports_refused = Counter(
    "cortex_csp_reports_refused_total",
    "Reports of the policy that weren't taken.",
    ["why"],
    registry=REGISTRY,
)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request under its URL pattern."""
    requests_total.labels(method, route, str(status)).inc()
    request_seconds.labels(route).observe(seconds)


def exposition() -> bytes:
    """Return the text that Prometheus reads."""
    return generate_latest(REGISTRY)
