"""Nobody comes in without the token, and no other page may ask."""

import pytest
from fastapi.testclient import TestClient

from convscope.explorer import application
from convscope.explorer.auth import CLOSED, HEADERS, AccessGuard
from helpers.explorer_client import HOME, TOKEN

ELSEWHERE = {
    "error": "this address is not the server's own; open the link that convscope explore printed",
    "kind": "door",
}
NO_TOKEN = {
    "error": "the token is missing or of another server; open the link that convscope explore printed", "kind": "door",
}  # fmt: skip
ANOTHER_PAGE = {"error": "another page asked, and only this server's own page may", "kind": "door"}


@pytest.fixture
def stranger(client):
    """The same server, asked by somebody who knows nothing."""
    return TestClient(application(client.session, TOKEN), base_url=HOME, follow_redirects=False)


def test_the_link_sets_a_cookie_that_no_script_reads_and_no_other_page_sends(stranger):
    answer = stranger.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie == f"convscope_8765={TOKEN}; HttpOnly; Path=/; SameSite=strict"
    assert stranger.get("/api/run").status_code == 200, "the cookie opens the door"
    assert "<!doctype html>" in stranger.get("/").text


@pytest.mark.parametrize("path", ["/api/run", "/static/index.html", "/api/events", "/api/nothing"])
def test_without_a_token_everything_is_closed(stranger, path):
    answer = stranger.get(path)
    assert (answer.status_code, answer.json()) == (403, NO_TOKEN)
    assert stranger.get("/").text == CLOSED
    assert stranger.get("/?token=guess").status_code == 403
    assert stranger.get(path, headers={"Authorization": "Bearer guess"}).status_code == 403
    assert stranger.get(path, headers={"Cookie": "convscope_8765=guess"}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1:80", "127.0.0.1", "evil.example", "", "127.0.0.1:8765.evil"]
)
def test_a_name_that_was_made_to_point_here_is_refused(client, host):
    answer = client.get("/api/run", headers={"Host": host})
    assert (answer.status_code, answer.json()) == (403, ELSEWHERE)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"])
def test_this_machine_s_own_names_are_let_in(client, host):
    assert client.get("/api/run", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://127.0.0.1:8765", "http://evil.example", "null", "http://127.0.0.1:9999"])
def test_another_page_s_requests_are_refused_even_with_the_token(client, origin):
    answer = client.put("/api/marks/train-0", json={"kind": "leave out"}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()) == (403, ANOTHER_PAGE)


def test_a_ticket_lets_in_once_and_the_link_always(client):
    app = application(client.session, TOKEN, ticket="a-ticket")
    first, second = (TestClient(app, base_url=HOME, follow_redirects=False) for _ in range(2))
    assert first.get("/?token=a-ticket").status_code == 303
    assert first.get("/api/run").status_code == 200
    assert second.get("/?token=a-ticket").status_code == 403
    assert second.get("/?token=").status_code == 403
    assert second.get(f"/?token={TOKEN}").status_code == 303
    stranger = TestClient(app, base_url=HOME)
    assert stranger.get("/api/run", headers={"Authorization": "Bearer a-ticket"}).status_code == 403


def test_every_response_carries_the_content_security_policy(client, stranger):
    for answer in (client.get("/"), client.get("/api/run"), client.get("/api/no"), stranger.get("/api/run")):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "cache-control" in answer.headers


def test_bound_to_all_addresses_only_ip_addresses_and_the_host_name_are_allowed_hosts():
    door = AccessGuard(None, TOKEN, "0.0.0.0", 8765)
    assert door._is_same_origin("192.168.1.7:8765")
    assert not door._is_same_origin("evil.example:8765")


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/index.html/x"]
)
def test_no_address_names_a_file_that_is_not_the_page_s(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["kind"] == "unknown"


def test_the_page_s_files_come_with_their_kinds(client):
    assert client.get("/").headers["content-type"] == "text/html; charset=utf-8"
    answer = client.get("/static/app.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    again = client.get("/static/app.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
