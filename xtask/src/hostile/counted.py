"""What each attack is seen by: the metrics that grow by it, and by how much at the least."""

from wire import MOST_HELD


def ended(reason):
    return f'certgate_connections_ended_total{{reason="{reason}"}}'


def body(reason):
    return f'certgate_bodies_refused_total{{reason="{reason}"}}'


def request(protocol, status):
    return f'certgate_requests_refused_total{{protocol="{protocol}",status="{status}"}}'


HANDSHAKES = "certgate_tls_handshakes_failed_total"
DISPLACED = "certgate_connections_displaced_total"
MALFORMED_OCSP = 'certgate_ocsp_responses_total{authority="default",outcome="malformedRequest"}'

COUNTED = {
    "garbage": {HANDSHAKES: 100, ended("head-malformed"): 80},
    "truncated": {ended("cut-short"): 100, body("broken"): 20},
    "large": {body("too-large"): 8, **{request(protocol, 413): 2 for protocol in ("est", "scep", "acme", "ocsp")}},
    "heads": {ended("head-too-large"): 80},
    "smuggling": {ended("head-malformed"): 15, request("ocsp", 501): 2},
    "floods": {ended("http2-abuse"): 3, ended("http2-malformed"): 3},
    "hellos": {HANDSHAKES: 300},
    "nested": {request("est", 400): 5, request("scep", 400): 5, request("acme", 400): 5, MALFORMED_OCSP: 5},
    "idle": {DISPLACED: max(0, min(5000, MOST_HELD) - 4096)},
    "speaking": {HANDSHAKES: min(4096, MOST_HELD) // 4, ended("cut-short"): min(4096, MOST_HELD) // 4},
    "slow": {HANDSHAKES: 60, ended("head-timeout"): 120, body("too-slow"): 120, ended("write-timeout"): 10},
    "bodies": {DISPLACED: 100, body("displaced"): 100, request("ocsp", 408): 90},
    "wait": {request("est", 429): 8},
    # Nothing is wrong with what they ask for.
    "readers": {},
}


def missing(attack, before, after):
    """What did not grow as it should have."""
    grown = {name: after.get(name, 0) - before.get(name, 0) for name in COUNTED[attack]}
    return [f"{name} grew by {grown[name]:.0f}, not {least}" for name, least in COUNTED[attack].items() if grown[name] < least]
