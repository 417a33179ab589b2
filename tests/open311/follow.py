"""Clients of Open311 that nobody here wrote, against a running server: `three` (Code for America) posts, `georeport` reads in
XML and in JSON. They list services, read a definition, post with a photo, follow to closed."""

import itertools
import json
import os
import struct
import time
import urllib.request
import zlib

# `three` is of the days of Python 2, which called the lazy filter so; nothing else of it is touched.
itertools.ifilter = filter

from georeport import GeoReport  # noqa: E402
from three import Three  # noqa: E402

URL, KEY = os.environ["GUICHET_URL"], os.environ["GUICHET_KEY"]
ENDPOINT = f"{URL}/open311/v2"


def photo():
    """A small PNG that is one."""
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"".join(b"\0" + b"\x80\x40\x20" * 8 for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def command(request, body):
    """What an agent does, over the town's own API."""
    call = urllib.request.Request(
        f"{URL}/v1/ville/requests/{request}/commands", json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(call) as answer:
        return json.load(answer)


def attributes_of(definition):
    """Attributes as XML and JSON both have them."""
    found = definition["attributes"]
    return found if isinstance(found, list) else found["attribute"]


discovery = Three(ENDPOINT, discovery=f"{URL}/open311/discovery.json").discovery()
assert discovery["endpoints"][0]["specification"] == "http://wiki.open311.org/GeoReport_v2", discovery

three = Three(ENDPOINT, api_key=KEY, jurisdiction="ville")
readers = [GeoReport(ENDPOINT, jurisdiction="ville", output_format=form) for form in ("json", "xml")]
lists = [[service["service_code"] for service in reader.get_service_list()] for reader in readers]
assert lists[0] == lists[1] == [service["service_code"] for service in three.services()], lists
assert "voirie.chaussee-abimee" in lists[0] and len(lists[0]) > 10, lists
for reader in readers:
    definition = reader.get_service_definition("voirie.chaussee-abimee")
    codes = [attribute["code"] for attribute in attributes_of(definition)]
    assert "danger" in codes, codes

made = three.post(
    "voirie.chaussee-abimee", lat="48.957", long="4.363", address="1 place Foch", name="Jeanne Dupont",
    email="jeanne@exemple.example", description="Un trou <profond> & large",
    media=("trou.png", photo(), "image/png"), **{"attribute[danger]": "true"})
assert three.post_response.status_code == 200, (three.post_response.status_code, made)
request = made[0]["service_request_id"]
assert isinstance(request, str) and "token" not in made[0], made

for reader in readers:
    row = reader.get_service_request(request)
    assert row["status"] == "open" and row["expected_datetime"].endswith("Z"), row
    assert row["service_code"] == "voirie.chaussee-abimee" and not row["description"], row
    assert float(row["lat"]) == 48.957, row
seen = three.request(request, api_key=KEY)[0]
assert seen["description"] == "Un trou <profond> & large" and seen["address"] == "1 place Foch", seen

refused = Three(ENDPOINT, api_key="gk_0", jurisdiction="ville")
errors = refused.post("voirie.chaussee-abimee", lat="48.957", long="4.363")
assert refused.post_response.status_code == 403 and errors[0]["code"] == "403", errors

command(request, {"command": "cancel", "reason": "Déjà réparé"})
for _ in range(100):
    if three.request(request)[0]["status"] == "closed":
        break
    time.sleep(0.1)
for reader in readers:
    closed = reader.get_service_requests(status="closed", service_code="voirie.chaussee-abimee")
    # One row alone is no list to this reader's XML.
    rows = closed if isinstance(closed, list) else [closed]
    assert [row["service_request_id"] for row in rows] == [request], closed
print(f"{len(lists[0])} services listed, one posted with its photo and followed to closed, in XML and in JSON")
