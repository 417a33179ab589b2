"""How bodies that are no JSON are written, and from where calls come."""

import itertools

import requests
import schemathesis

addresses = itertools.count()
send = requests.Session.send


def send_from_elsewhere(session, request, **options):
    """Each call comes from an address of its own: one that shows wrong keys over and over is told to wait, not who it is."""
    number = next(addresses)
    request.headers["X-Forwarded-For"] = f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"
    return send(session, request, **options)


requests.Session.send = send_from_elsewhere


@schemathesis.serializer("message/rfc822", "application/x-ndjson", "application/jsonl", "text/csv")
def as_it_is(context, value):
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else str(value).encode()
