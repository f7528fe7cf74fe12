"""A web UI of Argo's server beside the API: its files, and the cookie that it shows its token in."""

import http.client
import json

import pytest
import yaml

import web_ui_requests

INDEX = '<!doctype html><html><head><base href="/"><script defer src="main.js"></script></head><body></body></html>'
INFO, EVENT = "/api/v1/info", "/api/v1/tracking/event"


@pytest.fixture
def ui(tmp_path):
    folder = tmp_path / "ui"
    (folder / "assets" / "images").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "main.js").write_text("start()")
    (folder / "assets" / "images" / "a b.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("secret")
    (folder / "out").symlink_to(tmp_path / "secret")
    return folder


class Browser:
    def __init__(self, tiphys):
        server = json.loads((tiphys.data_dir / "server.json").read_text())
        self.address, self.token = server["address"], server["token"]
        self.cookie = f"theme=dark; authorization=Bearer {self.token}"

    def open(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse()

    def get(self, path, **headers):
        answer = self.open(path, **headers)
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def test_its_files(tiphys, ui):
    told = tiphys.up("--ui-dir", ui)
    browser = Browser(tiphys)
    assert any(f"web UI          http://{browser.address}" in told.stdout.readline() for _ in range(6))
    page = (200, "text/html; charset=utf-8", INDEX)
    for path in ("/", "/?a=b", "/index.html", "/login", "/workflows/default/hello?tab=workflow", "/apidocs", "/main.old.js", "/assets"):
        assert browser.get(path) == page, path
    assert browser.get("/main.js") == (200, "text/javascript; charset=utf-8", "start()")
    assert browser.get("/assets/images/a%20b.svg") == (200, "image/svg+xml", "<svg/>")
    for path in ("/out", "/../secret", "/..%2fsecret", "/%2e%2e/secret", "//etc/passwd", "/main.js%00", "/%zz"):
        assert browser.get(path) == page, path
    headers = browser.open("/main.js").headers
    assert headers["Content-Security-Policy"] == "default-src 'self' 'unsafe-inline'; img-src 'self' data:"
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("SAMEORIGIN", "nosniff")
    (ui / "main.js").write_text("start(2)")
    assert browser.get("/main.js")[2] == "start(2)", "what is built anew is shown"

    # The rest of the port is as ever.
    assert browser.open("/", Host="evil.example").status == 403
    for path in (INFO, "/api/v1/pods", "/apis", "/version", "/configz", "/artifact-files/default/workflows/a/b/outputs/c"):
        assert browser.open(path).status == 401, path
    assert browser.open("/workflows", "POST", "{}").status == 401
    assert "/apis" in json.loads(browser.get("/", Authorization=f"Bearer {browser.token}")[2])["paths"], "Kubernetes' list"


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_behind_a_proxy(tiphys, ui, how):
    if how == "flag":
        tiphys.up("--ui-dir", ui, "--base-href", "argo/workflows")
    else:
        tiphys.env["ARGO_BASE_HREF"] = "/argo/workflows/"
        tiphys.up("--ui-dir", ui)
    assert Browser(tiphys).get("/workflows")[2] == INDEX.replace('"/"', '"/argo/workflows/"')


def test_what_is_no_ui(tiphys, ui, tmp_path):
    assert "index.html" in tiphys("up", "--ui-dir", tmp_path / "none", "--port", "0", code=None).stderr
    assert "is no path" in tiphys("up", "--ui-dir", ui, "--base-href", '/"><script>', "--port", "0", code=None).stderr
    assert "--ui-dir needs a port" in tiphys("up", "--ui-dir", ui, "--no-port", code=2).stderr


def test_a_cookie_shows_the_token(tiphys):
    tiphys.up()
    browser = Browser(tiphys)
    status, _, body = browser.get(INFO, Cookie=browser.cookie)
    assert status == 200 and "modals" in json.loads(body)
    several = f'authorization=Bearer old; authorization="Bearer {browser.token}"'
    other_page = {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost:8080"}
    for name, method, path, headers, expected in [
        ("the first that is known", "GET", INFO, {"Cookie": several}, 200),
        ("a false token", "GET", INFO, {"Cookie": "authorization=Bearer x"}, 401),
        ("another cookie", "GET", INFO, {"Cookie": f"token=Bearer {browser.token}"}, 401),
        ("a header comes first", "GET", INFO, {"Authorization": "Bearer x"}, 401),
        ("Kubernetes' API knows no cookies", "GET", "/api/v1/pods", {}, 401),
        ("artifacts do", "GET", "/artifacts/default/none/none/none", {}, 404),
        ("a page of this server", "POST", EVENT, {"Sec_Fetch_Site": "same-origin", "Origin": f"http://{browser.address}"}, 200),
        ("the same, told by an old browser", "POST", EVENT, {"Origin": f"http://{browser.address}"}, 200),
        ("a page of a proxy on this machine", "POST", EVENT, {"Sec_Fetch_Site": "same-origin", "Origin": "http://localhost:8080"}, 200),
        ("no page", "POST", EVENT, {}, 200),
        ("a page of another server of this machine", "POST", EVENT, other_page, 403),
        ("the same, told by an old browser", "POST", EVENT, {"Origin": "http://127.0.0.1:8080"}, 403),
        ("a page of another site", "POST", EVENT, {"Sec_Fetch_Site": "cross-site"}, 403),
        ("it is no matter with a token of its own", "POST", EVENT, {**other_page, "Authorization": f"Bearer {browser.token}"}, 200),
    ]:
        body = json.dumps({"name": "opened"}) if method == "POST" else None
        assert browser.open(path, method, body, **{"Cookie": browser.cookie, **headers}).status == expected, name
    watch = browser.open("/api/v1/workflow-events/default", Cookie=browser.cookie, Accept="text/event-stream")
    assert (watch.status, watch.headers["Content-Type"]) == (200, "text/event-stream"), "it begins before there is an event"
    watch.close()


@pytest.mark.parametrize("name", web_ui_requests.NAMES)
def test_pages_are_answered_as_the_original_does(tiphys, tmp_path, name):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(web_ui_requests.config_of(name)))
    tiphys.up("--config", config)
    found = web_ui_requests.differences(web_ui_requests.read_answers(name), web_ui_requests.play(web_ui_requests.of_tiphys(tiphys.data_dir, name), name))
    assert not found, "\n".join(found)
