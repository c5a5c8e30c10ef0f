"""What the live bench makes of a run: a histogram, the account of each group of sockets, aims and ratios."""

from __future__ import annotations

from collections import Counter
from typing import Any

# (p50, p99) ms of stock Channels (uvicorn, RedisChannelLayer, stock consumer) as measured apart from this
# bench, by (sockets, web processes): section 3 of the design's decisions; one socket was measured with one.
STOCK_ELSEWHERE = {
    (1, 1): (3.8, 9.4),
    (100, 1): (24.0, 304.0),
    (1000, 1): (2361.0, 4408.0),
    (2000, 1): (3323.0, 5551.0),
    (100, 2): (14.0, 98.0),
    (1000, 2): (260.0, 549.0),
    (2000, 2): (2221.0, 4458.0),
}
AIM = (1000, 2)
AIM_P99, AIM_RATIO = 20.0, 25.0
# The p99 in ms that the task's own measurements name for peers' live pages, and with how many sockets.
PEER_P99, PEER_SOCKETS = 204.0, 200
CUTS = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}
# Sixteen buckets to each doubling: a value is known to 6 %, however large it is.
STEPS = 16


def bucket(micros: int) -> int:
    """Return the upper edge in microseconds of the bucket of a latency."""
    if micros < STEPS:
        return max(0, micros)
    width = 1 << (micros.bit_length() - STEPS.bit_length())
    return (micros // width + 1) * width - 1


def histogram(micros: list[int]) -> dict[int, int]:
    """Count latencies by their bucket's upper edge in microseconds."""
    return dict(sorted(Counter(map(bucket, micros)).items()))


def cuts(micros: list[int]) -> dict[str, float]:
    """Return percentiles and the longest in milliseconds."""
    ordered = sorted(micros)
    if not ordered:
        return {}
    found = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in CUTS.items()}
    return {name: round(value / 1000, 2) for name, value in (found | {"most": ordered[-1]}).items()}


def show_histogram(counts: dict[int, int]) -> None:
    """Print the buckets joined to doublings, each with its share and the share up to there."""
    total, rows, so_far = sum(counts.values()), Counter[int](), 0
    for edge, count in counts.items():
        rows[1 << max(9, edge.bit_length())] += count
    for edge, count in sorted(rows.items()):
        so_far += count
        bar = "#" * max(1, round(40 * count / total))
        print(f"      < {edge / 1000:8.1f} ms {count:8,} {so_far / total:8.2%} {bar}")


def is_void(stock: dict[str, Any], sockets: int, processes: int) -> bool:
    """Say whether stock did more than twice worse than it did elsewhere: then no ratio is worth anything."""
    known = STOCK_ELSEWHERE.get((sockets, processes))
    if known is None or "p99" not in stock:
        return False
    return bool(stock["p50"] > 2 * known[0] or stock["p99"] > 2 * known[1])


def ratio(hub: dict[str, Any], stock: dict[str, Any]) -> dict[str, Any]:
    """Return and print how much better the hub's p99 is than stock's in this run."""
    sockets, processes = hub["sockets"], hub["processes"]
    void = is_void(stock, sockets, processes)
    known = STOCK_ELSEWHERE.get((sockets, processes))
    found = {
        "sockets": sockets,
        "processes": processes,
        "void": void,
        "p50": round(stock["p50"] / hub["p50"], 1),
        "p99": round(stock["p99"] / hub["p99"], 1),
        "p99_of_stock_elsewhere": round(known[1] / hub["p99"], 1) if known else None,
        "stock_received": stock["received_share"],
    }
    said = f"{sockets:>5,} sockets, {processes} web: p50 {found['p50']:g}, p99 {found['p99']:g} times better"
    said += f" (stock: {stock['p99']:,.0f} ms, {stock['received_share']:.0%} arrived)"
    if void and known:
        said += (
            f"   VOID: stock did more than twice worse than its {known[0]:g} and {known[1]:g} ms elsewhere; "
            f"beside those, p99 {found['p99_of_stock_elsewhere']:g} times better"
        )
    elif known is None:
        said += "   (no figure of stock from elsewhere)"
    print("  " + said)
    return found


def faults(cell: dict[str, Any]) -> list[str]:
    """Return what must not have happened in a run of the hub."""
    found = []
    for name in ("lost", "doubled", "skipped", "reloads", "closed", "board_lost", "source_failures"):
        if cell[name]:
            found.append(f"{name} {cell[name]}")
    if cell["checks_least"] < 1:
        found.append("a socket whose rights were not checked again in the run")
    if cell["claims"] < cell["claims_wanted"]:
        found.append(f"claims {cell['claims']} of {cell['claims_wanted']}")
    if any(one["group"].endswith("claims") and not one["offered"] for one in cell["groups"]):
        found.append("claims that changed no board")
    if any(isinstance(one["received"], int) and one["sent"] != one["received"] for one in cell["groups"]):
        found.append("sent is not received")
    if "storm" in cell and cell["storm"]["whole"] < cell["sockets"]:
        found.append("some who returned miss something")
    if cell["stalled"] and not cell["slow_closes"]:
        found.append("no stalled reader was dropped: nobody stalled")
    return found


def show(cell: dict[str, Any]) -> None:
    """Print one run."""
    print(
        "{design:<5} {sockets:>5,} sockets, {processes} web: ms from the intended commit p50 {p50:g}, "
        "p95 {p95:g}, p99 {p99:g}, p99.9 {p999:g}, most {most:g}".format(**cell)
        if "p50" in cell
        else "{design:<5} {sockets:>5,} sockets, {processes} web: nothing arrived".format(**cell)
    )
    for one in cell["groups"]:
        print("    {group:<16} offered {offered:>9,}  sent {sent:>9,}  received {received}".format(**one))
    print(
        "    lost {lost}, doubled {doubled}, skipped {skipped}; {claims} of {claims_wanted} claims and "
        "releases by HTTP; {stalled} stalled readers".format(**cell)
    )
    if cell["design"] == "hub":
        print(
            "    {slow_closes} times a stalled reader was dropped; rights of each socket checked "
            "{checks_least} times or more".format(**cell)
        )
    print(
        "    commits late by p50 {p50:g}, p99 {p99:g} ms; ".format(**cell["commit_late"]),
        "server {cpu_us:.1f} us CPU each, client {client_cpu:.1f} s; load {load}".format(**cell),
        sep="",
    )
    show_histogram(cell["histogram_us"])
    if cell["design"] == "hub" and "p99" in cell:
        print("    " + beside_peers(cell))
    if "storm" in cell:
        print(
            "    all return at once: welcomed in {welcomed:.2f} s, {whole:,} whole in {took:.2f} s, "
            "{turned_away} times told to come again".format(**cell["storm"])
        )


def beside_peers(cell: dict[str, Any]) -> str:
    """Return how a run's p99 stands to the known peers'."""
    known = f"known peers: p99 {PEER_P99:g} ms at {PEER_SOCKETS} sockets"
    if cell["sockets"] < PEER_SOCKETS:
        return f"{known}; here they are fewer"
    times = PEER_P99 / max(cell["p99"], 0.01)
    return f"{known}; here {cell['p99']:g} ms at {cell['sockets']:,}: {times:.1f} times as quick"


def aims(cells: list[dict[str, Any]], ratios: list[dict[str, Any]]) -> bool | None:
    """Print the aims for 1,000 sockets on two processes; return whether they are met, None if unmeasured."""
    where = {"sockets": AIM[0], "processes": AIM[1]}
    hub = [one for one in cells if one["design"] == "hub" and where.items() <= one.items() and "p99" in one]
    if not hub:
        return None
    quick = hub[0]["p99"] <= AIM_P99
    print(f"aim: p99 {AIM_P99:g} ms with 1,000 sockets on 2 web processes: {'met' if quick else 'MISSED'}")
    found = [one for one in ratios if where.items() <= one.items()]
    if not found:
        return quick
    better = found[0]["p99"] >= AIM_RATIO and not found[0]["void"]
    said = "void" if found[0]["void"] else "met" if better else "MISSED"
    print(f"aim: {AIM_RATIO:g} times better than stock at p99 there: {said}")
    return quick and better
