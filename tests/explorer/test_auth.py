"""Requests without the token, of other hosts or of other origins are rejected."""

import pytest
from fastapi.testclient import TestClient

from convscope.explorer import application
from convscope.explorer.auth import CLOSED, HEADERS, session_value
from convscope.web.access import OwnAddress
from helpers.explorer_client import HOME, TOKEN

WRONG_HOST = {
    "error": "Host: not an address of this server; open the link that convscope explore printed",
    "kind": "forbidden",
}
NO_TOKEN = {
    "error": "token: missing or invalid; open the link that convscope explore printed", "kind": "forbidden",
}  # fmt: skip
OTHER_SITE = {
    "error": "Sec-Fetch-Site: request of another site; open the link that convscope explore printed",
    "kind": "forbidden",
}
CROSS_ORIGIN = {
    "error": "Origin: cross-origin request refused; open the link that convscope explore printed",
    "kind": "forbidden",
}


@pytest.fixture
def anonymous(client):
    """A client of the same server without the token."""
    return TestClient(application(client.session, TOKEN), base_url=HOME, follow_redirects=False)


def test_the_link_sets_an_http_only_same_site_cookie(anonymous):
    response = anonymous.get(f"/?token={TOKEN}")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert cookie == f"convscope_8765={session_value(TOKEN)}; HttpOnly; Path=/; SameSite=strict"
    assert anonymous.get("/api/run").status_code == 200, "the cookie authenticates"
    assert "<!doctype html>" in anonymous.get("/").text


@pytest.mark.parametrize("path", ["/api/run", "/static/index.html", "/api/events", "/api/nothing"])
def test_without_a_token_every_address_is_forbidden(anonymous, path):
    response = anonymous.get(path)
    assert (response.status_code, response.json()) == (403, NO_TOKEN)
    assert anonymous.get("/").text == CLOSED
    assert anonymous.get("/?token=guess").status_code == 403
    assert anonymous.get(path, headers={"Authorization": "Bearer guess"}).status_code == 403
    assert anonymous.get(path, headers={"Cookie": "convscope_8765=guess"}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1:80", "127.0.0.1", "evil.example", "", "127.0.0.1:8765.evil"]
)
def test_an_unknown_host_name_is_rejected(client, host):
    response = client.get("/api/run", headers={"Host": host})
    assert (response.status_code, response.json()) == (403, WRONG_HOST)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"])
def test_loopback_hosts_are_accepted(client, host):
    assert client.get("/api/run", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://127.0.0.1:8765", "http://evil.example", "null", "http://127.0.0.1:9999"])
def test_cross_origin_requests_are_rejected_even_with_the_token(client, origin):
    response = client.put("/api/corrections/train-0", json={"kind": "exclude"}, headers={"Origin": origin})
    assert (response.status_code, response.json()) == (403, CROSS_ORIGIN)


def test_the_cookie_holds_a_value_that_opens_nothing_by_another_way(anonymous):
    session = session_value(TOKEN)
    assert anonymous.get("/api/run", headers={"Cookie": f"convscope_8765={session}"}).status_code == 200
    assert anonymous.get("/api/run", headers={"Cookie": f"convscope_8766={session}"}).status_code == 403
    assert anonymous.get("/api/run", headers={"Authorization": f"Bearer {session}"}).status_code == 403
    assert anonymous.get(f"/?token={session}").status_code == 403
    assert anonymous.get("/api/run", headers={"Cookie": f"convscope_8765={TOKEN}"}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_requests_that_a_browser_marks_as_of_another_site_are_rejected(client, site):
    for method, path in (("GET", "/api/run"), ("PUT", "/api/corrections/train-0"), ("GET", "/static/main.js")):
        response = client.request(method, path, headers={"Sec-Fetch-Site": site})
        assert (response.status_code, response.json()) == (403, OTHER_SITE)
    for allowed in ("same-origin", "none"):
        assert client.get("/api/run", headers={"Sec-Fetch-Site": allowed}).status_code == 200
    assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 200, "a link of another page leads here"


def test_a_ticket_is_accepted_once_and_the_token_always(client):
    app = application(client.session, TOKEN, ticket="a-ticket")
    first, second = (TestClient(app, base_url=HOME, follow_redirects=False) for _ in range(2))
    assert first.get("/?token=a-ticket").status_code == 303
    assert first.get("/api/run").status_code == 200
    assert second.get("/?token=a-ticket").status_code == 403
    assert second.get("/?token=").status_code == 403
    assert second.get(f"/?token={TOKEN}").status_code == 303
    anonymous = TestClient(app, base_url=HOME)
    assert anonymous.get("/api/run", headers={"Authorization": "Bearer a-ticket"}).status_code == 403


def test_every_response_carries_the_content_security_policy(client, anonymous):
    for response in (client.get("/"), client.get("/api/run"), client.get("/api/no"), anonymous.get("/api/run")):
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
        assert "unsafe" not in response.headers["content-security-policy"]
        assert "cache-control" in response.headers


def test_bound_to_all_addresses_only_ip_addresses_and_the_host_name_are_allowed_hosts():
    address = OwnAddress("0.0.0.0", 8765)
    assert address.matches("192.168.1.7:8765")
    assert not address.matches("evil.example:8765")


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/index.html/x"]
)
def test_no_address_reaches_a_file_outside_the_static_folder(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response.json()["kind"] == "not found"


def test_static_files_have_media_types_and_etags(client):
    assert client.get("/").headers["content-type"] == "text/html; charset=utf-8"
    response = client.get("/static/app.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    again = client.get("/static/app.js", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
