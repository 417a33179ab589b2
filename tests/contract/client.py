"""What a portal does, by the client that openapi-python-client makes of the served document.

Run beside a server, by `tests/contract/serve`: the document is fetched from it, so the client is of what is served.
"""

import importlib
import io
import os
import struct
import subprocess
import sys
import tempfile
import urllib.request
import zlib
from pathlib import Path

URL, KEY = os.environ["GUICHET_URL"], os.environ["GUICHET_KEY"]
TENANT = "ville"


def make(folder: Path) -> None:
    """The client, as the package `portal` in a folder."""
    document = folder / "openapi.json"
    document.write_bytes(urllib.request.urlopen(f"{URL}/openapi.json").read())
    maker = Path(sys.executable).parent / "openapi-python-client"
    made = subprocess.run(
        [maker, "generate", "--path", document, "--output-path", folder / "portal", "--meta", "none"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{maker.parent}:{os.environ['PATH']}"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))


def portal(name: str):
    return importlib.import_module(f"portal.{name}")


def use() -> None:
    client = portal("client")
    citizen = client.Client(base_url=URL)
    agent = client.AuthenticatedClient(base_url=URL, token=KEY)
    models, types = portal("models"), portal("types")
    receive = portal("api.public.requests_receive")

    photo = types.File(payload=io.BytesIO(picture()), file_name="trou.png", mime_type="image/png")
    stored = portal("api.public.files_upload").sync_detailed(TENANT, client=citizen, body=models.FileForm(file=photo))
    assert stored.status_code == 201 and stored.parsed.type_ == "image/png", stored

    body = models.Incoming.from_dict({
        "process": "voirie/chaussee-abimee",
        "form": {"place": [48.957, 4.363], "photos": [stored.parsed.to_dict()]},
    })
    key = "une-demande-du-portail"
    made = receive.sync_detailed(TENANT, client=citizen, body=body, idempotency_key=key, prefer="wait=5")
    again = receive.sync_detailed(TENANT, client=citizen, body=body, idempotency_key=key)
    assert (made.status_code, again.status_code) == (201, 200), (made, again)
    assert again.parsed.repeated and again.parsed.request == made.parsed.request

    follow = portal("api.public.follow_read")
    followed = follow.sync_detailed(TENANT, client=citizen, body=models.FollowBody(code=made.parsed.tracking_code))
    assert followed.status_code == 200 and followed.parsed.promises, followed

    wrong = models.Incoming.from_dict({"process": body.process, "form": {"danger": "oui", "autre": 1}})
    refused = receive.sync_detailed(TENANT, client=citizen, body=wrong)
    assert refused.status_code == 422
    assert sorted(error.pointer for error in refused.parsed.errors) == ["/form/autre", "/form/danger", "/form/place"]

    cards = portal("api.agents.requests_list").sync_detailed(TENANT, client=agent, limit=10)
    assert [card.request for card in cards.parsed.value.items] == [made.parsed.request], cards
    read = portal("api.agents.requests_read").sync_detailed(TENANT, made.parsed.request, client=agent)
    assert read.status_code == 200 and "qualify" in read.parsed.allowed, read
    command = portal("api.agents.requests_command").sync_detailed
    note = models.NoteCommand.from_dict({"command": "note", "text": "Vu sur place."})
    noted = command(TENANT, made.parsed.request, client=agent, body=note, if_match=read.headers["etag"])
    late = command(TENANT, made.parsed.request, client=agent, body=note, if_match=read.headers["etag"])
    assert (noted.status_code, late.status_code, late.parsed.code) == (200, 412, "request.moved_on"), (noted, late)


def picture() -> bytes:
    """A grey square of eight points, as PNG."""
    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * 8 for _ in range(8)))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        make(Path(name))
        use()
    print("a client in Python was made of the served document, and used")
