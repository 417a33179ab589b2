"""How bodies that are no JSON are written: schemathesis makes up their text, and asks how it is sent."""

import schemathesis


@schemathesis.serializer("message/rfc822", "application/x-ndjson", "application/jsonl", "text/csv")
def as_it_is(context, value):
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else str(value).encode()
