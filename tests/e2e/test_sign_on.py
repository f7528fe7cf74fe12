"""--auth-mode: people who sign in at an OpenID provider, and clients that bring nothing."""

import json
import socket
import subprocess
import urllib.parse

import pytest

pytest.importorskip("cryptography", reason="the provider of these tests signs with Python's cryptography: tools/bootstrap")

from cli_support import Commands, cli  # noqa: E402,F401
from conftest import ROOT, Tiphys  # noqa: E402
from sign_on_support import CLIENT, SECRET, Browser, Provider, SignOn  # noqa: E402
from stores import certificate  # noqa: E402

WORKFLOWS = "/api/v1/workflows/default"
SLEEPER = {"workflow": {"metadata": {"name": "w"}, "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]}}}


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def plane(cli, provider):
    return SignOn(cli, provider)


def test_somebody_signs_in(plane):
    browser = Browser()
    assert browser.ask(f"{plane.url}{WORKFLOWS}").code == 401
    plane.sign_in(browser)
    assert browser.last.code == 200, browser.last.text
    assert browser.last.json == {"issuer": "argo-server", "subject": "u-1", "groups": ["staff"], "email": "ann@example.com", "emailVerified": True, "name": "Ann"}
    begun, over, session = (cookie.split("; ") for cookie in browser.set_cookies)
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/oauth2/", "Max-Age=600"} <= set(begun)
    assert "Max-Age=0" in over
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=36000"} <= set(session)
    assert list(browser.cookies) == [(plane.up.server["address"], "/", "authorization")]
    token = plane.session(browser)
    assert token.startswith("Bearer v2:")
    assert Browser().ask(f"{plane.url}/api/v1/userinfo", Authorization=token).json["subject"] == "u-1", "other clients show it as a token"

    assert browser.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER).code == 200
    labels = plane.cli.workflow("w")["metadata"]["labels"]
    assert {name.partition("/")[2]: value for name, value in labels.items() if "creator" in name} == {
        "creator": "u-1", "creator-email": "ann.at.example.com", "creator-preferred-username": "ann"}

    plane.restart()
    assert Browser().ask(f"{plane.url}/api/v1/userinfo", Authorization=token).json["subject"] == "u-1", "a session outlives the server"
    browser = plane.sign_in()
    assert browser.ask(f"{plane.url}/oauth2/logout", "POST").headers["Location"] == "/"
    assert not browser.cookies and browser.ask(f"{plane.url}/api/v1/userinfo").code == 401


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_behind_a_proxy(cli, provider, how):
    cli.env["ARGO_BASE_HREF"] = "/argo/" if how == "environment" else "/other/"
    plane = SignOn(cli, provider, *(["--base-href", "argo"] if how == "flag" else []))
    for wanted, location in [("/argo/api/v1/userinfo", "/argo/api/v1/userinfo"), ("https://evil.example.com", "/argo/")]:
        browser = Browser(proxied="/argo")
        callback = browser.follow(f"{plane.url}/argo/oauth2/redirect?{urllib.parse.urlencode({'redirect': wanted})}", until=lambda url: "/oauth2/callback" in url)
        assert callback.startswith(f"{plane.url}/argo/oauth2/callback?")
        assert browser.ask(callback).headers["Location"] == location
        begun, over, session = browser.set_cookies
        assert "Path=/argo/oauth2/;" in begun and "Path=/argo/oauth2/;" in over and "Path=/argo/;" in session
        assert browser.ask(f"{plane.url}/argo/api/v1/userinfo").json["subject"] == "u-1"
        assert browser.ask(f"{plane.url}/argo/oauth2/logout", "POST").headers["Location"] == "/argo/" and not browser.cookies


def test_modes_are_those_of_argos_api(plane):
    token = plane.session(plane.sign_in())
    assert Browser().ask(f"{plane.url}{WORKFLOWS}", Authorization=f"Bearer {plane.api.token}").code == 401, "sso alone takes no tokens"
    assert plane.api.ask("GET", "/api/v1/namespaces/default/pods")[0] == 200, "Kubernetes' API takes them in any case"
    pods = f"{plane.url}/api/v1/namespaces/default/pods"
    assert Browser().ask(pods, Authorization=token).code == 401, "and no sessions"
    assert Browser().ask(pods, Cookie=f'authorization="{token}"').code == 401
    assert plane.cli("list").returncode == 0


def test_rules_say_whose_rights_somebody_has(cli, provider):
    plane = SignOn(cli, provider, rbac={"enabled": True}, scopes=["groups"])
    plane.account("readers", "true", verbs=("list",))
    plane.account("makers", "'makers' in groups", "1", verbs=("list", "create", "get"))
    reader, maker = plane.sign_in(groups=["staff"]), plane.sign_in(sub="u-2", email="bo@example.com", groups=["makers"])
    assert maker.last.json["serviceAccountName"] == "makers" and maker.last.json["serviceAccountNamespace"] == "default"
    assert reader.ask(f"{plane.url}/api/v1/userinfo").json["serviceAccountName"] == "readers"
    assert reader.ask(f"{plane.url}{WORKFLOWS}").code == 200
    refused = reader.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER)
    assert refused.code == 403 and 'User "system:serviceaccount:default:readers" cannot create' in refused.json["message"]
    assert maker.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER).code == 200
    assert maker.ask(f"{plane.url}/api/v1/workflows/kube-system").code == 403
    assert maker.ask(f"{plane.url}/artifacts/default/w/w/none").code == 404
    plane.api.ask("DELETE", "/api/v1/namespaces/default/serviceaccounts/makers")
    assert maker.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER).code == 403, "what an account may is asked each time"
    plane.api.ask("DELETE", "/api/v1/namespaces/default/serviceaccounts/readers")
    denied = maker.ask(f"{plane.url}/api/v1/userinfo")
    assert denied.code == 403 and denied.json["message"] == "not allowed"


@pytest.mark.parametrize("delegates", [True, False])
def test_a_namespace_may_have_rules_of_its_own(cli, provider, delegates):
    cli.env["SSO_DELEGATE_RBAC_TO_NAMESPACE"] = str(delegates).lower()
    plane = SignOn(cli, provider, rbac={"enabled": True})
    plane.make("/api/v1/namespaces", {"metadata": {"name": "team"}})
    plane.account("login", "true", verbs=("list",))
    plane.account("team", "'staff' in groups", "1", namespace="team", verbs=("list",))
    browser = plane.sign_in()
    assert browser.last.json["serviceAccountName"] == "login"
    assert browser.ask(f"{plane.url}/api/v1/workflows/default").code == 200
    assert browser.ask(f"{plane.url}/api/v1/workflows/team").code == (200 if delegates else 403)


def test_groups_come_as_the_provider_has_them(cli, tmp_path):
    cert, key = certificate(tmp_path)
    provider = Provider(cert, key)
    try:
        plane = SignOn(cli, provider, rootCA=cert.read_text(), userInfoPath="/userinfo", filterGroupsRegex=["^wf-", "-wf$"])
        provider.userinfo = {"groups": ["wf-a", "b", "c-wf"]}
        assert plane.sign_in().last.json["groups"] == ["wf-a", "c-wf"]
        provider.userinfo = {"groups": "wf-a"}
        assert plane.sign_in().last.code == 401
        plane.up.kill()

        again = cli.up("--auth-mode", "sso", "--config", cli.file(json.dumps({"sso": {
            "issuer": provider.issuer, "insecureSkipVerify": True, "customGroupClaimName": "roles",
            "clientId": {"name": "client", "key": "id"}, "clientSecret": {"name": "client", "key": "secret"}}}), "again.json"))
        provider.person["roles"] = ["r"]
        address = again.server["address"]
        assert Browser().follow(f"https://{address}/oauth2/redirect?redirect=/api/v1/userinfo").json["groups"] == ["r"]
        again.kill()

        stranger = cli.up("--auth-mode", "sso", "--config", cli.file(json.dumps({"sso": {
            "issuer": provider.issuer, "clientId": {"name": "client", "key": "id"}, "clientSecret": {"name": "client", "key": "secret"}}}), "stranger.json"))
        assert Browser().ask(f"https://{stranger.server['address']}/oauth2/redirect").code == 503, "nobody trusts this certificate"
    finally:
        provider.close()


def test_the_providers_keys_may_change(plane):
    assert plane.sign_in().last.code == 200
    plane.provider.rotate()
    assert plane.sign_in().last.code == 200
    assert plane.provider.paths.count("/realm/keys") == 2


def test_what_goes_wrong_at_the_provider(plane):
    plane.provider.refuses = True
    answer = plane.sign_in().last
    assert answer.code == 401 and answer.text == "signing in has failed: the server's log tells why\n"
    plane.provider.refuses = False
    for token in ({"aud": "other"}, {"iss": "https://other"}, {"exp": 1}, {"nonce": "other"}, {"sub": ""}):
        plane.provider.token = token
        assert plane.sign_in().last.code == 401, token
    plane.provider.token = {"groups": [f"{i:036}" for i in range(5000)]}
    assert plane.sign_in().last.code in (401, 500), "a huge token, or a cookie that no browser would keep"
    plane.provider.close()
    plane.restart()
    assert plane.sign_in().last.code == 503
    plane.up.popen.terminate()
    log = plane.up.end().stderr
    assert "what the provider says of itself" in log


class Attacker:
    """Begins a sign-in of its own, up to where the provider sends it back."""

    def __init__(self, plane):
        self.browser = Browser()
        self.callback = self.browser.follow(f"{plane.url}/oauth2/redirect", until=lambda url: "/oauth2/callback" in url)


def with_query(url, **changes):
    parts = urllib.parse.urlsplit(url)
    query = {**dict(urllib.parse.parse_qsl(parts.query)), **changes}
    return parts._replace(query=urllib.parse.urlencode(query)).geturl()


def test_a_sign_in_belongs_to_one_browser(plane):
    attacker = Attacker(plane)
    victim = Browser()
    assert victim.ask(attacker.callback).code == 400, "nobody signs in as another by his link"
    assert not victim.cookies
    own = Attacker(plane)
    state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(own.callback).query))["state"]
    assert attacker.browser.ask(with_query(attacker.callback, state=state)).code == 400, "a stolen state"
    for state in ("", "x", "a" * 5000, "../x", "authorization"):
        assert attacker.browser.ask(with_query(attacker.callback, state=state)).code == 400, state
    assert own.browser.ask(with_query(own.callback, code="guessed")).code == 401
    cookies = dict(attacker.browser.cookies)
    assert attacker.browser.ask(attacker.callback).code == 302
    attacker.browser.cookies = cookies
    assert attacker.browser.ask(attacker.callback).code == 400, "replayed, with the cookie that it has been told to forget"


def test_nobody_is_sent_elsewhere(plane):
    for wanted in ("https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "/%09/evil.example.com", "\\\\evil.example.com", "/a\r\nSet-Cookie: a=b",
                   "javascript:alert(1)", "/./evil.example.com/..//x", ""):
        browser = Browser()
        callback = browser.follow(f"{plane.url}/oauth2/redirect?{urllib.parse.urlencode({'redirect': wanted})}", until=lambda url: "/oauth2/callback" in url)
        answer = browser.ask(callback)
        assert answer.code == 302 and answer.headers["Location"] in ("/", wanted), wanted
        assert answer.headers["Location"] == "/" or wanted == "/%09/evil.example.com", "an escape that stays one"
        assert "a=b" not in str(answer.headers)


def test_a_session_of_another_plane_is_none(plane, cli, tmp_path):
    token = plane.session(plane.sign_in())
    other = Commands(Tiphys(cli.binary, tmp_path / "other", tmp_path, "process"), tmp_path)
    try:
        elsewhere = SignOn(other, plane.provider)
        for shown in (token, "Bearer v2:" + "a" * 40000, "Bearer v2:", "Bearer v2:a.b.c.d.e", token[:-4] + "AAAA"):
            assert Browser().ask(f"{elsewhere.url}/api/v1/userinfo", Authorization=shown).code == 401
            assert Browser().ask(f"{elsewhere.url}/api/v1/userinfo", Cookie=f'authorization="{shown}"').code == 401
    finally:
        other.close()


def test_pages_of_others_do_not_use_a_session(plane):
    browser = plane.sign_in()
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://localhost:1"}):
        assert browser.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER, **headers).code == 403, headers
    assert browser.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER, Origin="https://evil.example.com").code == 403
    assert browser.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER, Origin=plane.url, Sec_Fetch_Site="same-origin").code == 200


def test_who_signs_in_is_in_the_audit_log_and_codes_are_not(cli, provider, tmp_path):
    log = tmp_path / "audit.log"
    plane = SignOn(cli, provider, "--audit-log", log, rbac={"enabled": True})
    plane.account("all", "true", verbs=("list",))
    assert plane.sign_in().ask(f"{plane.url}{WORKFLOWS}").code == 200
    text = log.read_text()
    assert "code=" not in text and "state=" not in text and "v2:" not in text
    listed = next(event for event in map(json.loads, text.splitlines()) if event["requestURI"] == WORKFLOWS)
    assert listed["user"]["username"] == "sso:u-1" and listed["user"]["extra"] == {"email": ["ann@example.com"]}
    assert listed["impersonatedUser"]["username"] == "system:serviceaccount:default:all"


def test_sessions_work_by_grpc(plane):
    grpc = pytest.importorskip("grpc")
    from argo_messages import Messages
    from test_argo_grpc import Client
    client = Client(plane.cli, Messages())
    try:
        with pytest.raises(grpc.RpcError) as refused:
            client.ask("/info.InfoService/GetUserInfo")
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        token = plane.session(plane.sign_in())
        assert client.ask("/info.InfoService/GetUserInfo", metadata=(("authorization", token),)).subject == "u-1"
        assert client.ask("/info.InfoService/GetUserInfo", metadata=(("cookie", f'authorization="{token}"'),)).subject == "u-1"
    finally:
        client.close()


def test_the_servers_account_is_for_who_brings_nothing(cli):
    up = cli.up("--auth-mode", "server", "--auth-mode", "client")
    url = f"http://{up.server['address']}"
    assert Browser().ask(f"{url}{WORKFLOWS}").code == 200
    assert Browser().ask(f"{url}/api/v1/userinfo").json["subject"] == "tiphys:admin"
    assert Browser().ask(f"{url}{WORKFLOWS}", Authorization="Bearer wrong").code == 401
    assert Browser().ask(f"{url}/api/v1/namespaces/default/secrets").code == 401, "Kubernetes' API has no such mode"
    assert Browser().ask(f"{url}{WORKFLOWS}", "POST", SLEEPER, Origin="http://localhost:1").code == 403, "pages of other servers of this host"
    assert Browser().ask(f"{url}{WORKFLOWS}", Host="evil.example.com").code == 403


def test_the_servers_account_may_be_a_service_account(cli, provider):
    plane = SignOn(cli, provider, "--server-account", "guests", modes=("server", "sso"))
    assert Browser().ask(f"{plane.url}{WORKFLOWS}").code == 401, "there is none yet"
    plane.account("guests", verbs=("list",))
    for browser in (Browser(), plane.sign_in()):
        assert browser.ask(f"{plane.url}{WORKFLOWS}").code == 200
        refused = browser.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER)
        assert refused.code == 403 and "system:serviceaccount:default:guests" in refused.text


def test_what_up_refuses(cli, tmp_path):
    cert, key = certificate(tmp_path)
    everywhere = ("--address", "0.0.0.0", "--tls-certificate", cert, "--tls-key", key)
    sso = cli.file(json.dumps({"sso": {"issuer": "http://127.0.0.1:1", "clientId": {"name": "a", "key": "b"}, "clientSecret": {"name": "a", "key": "b"}}}), "sso.json")
    for arguments, message in [
            (["--auth-mode", "none"], '--auth-mode: "none" is none of client, server, sso and hybrid'),
            (["--auth-mode", "sso"], "sso.issuer is empty in the configuration"),
            (["--auth-mode", "server", *everywhere], "name the service account whose rights they are to have, by --server-account"),
            (["--auth-mode", "sso", "--config", sso, *everywhere], "or have rules say it, by sso.rbac.enabled"),
            (["--server-account", "a"], "--server-account is of use with --auth-mode server or sso alone"),
            (["--auth-mode", "server", "--server-account", "a/"], 'no [NAMESPACE/]NAME'),
            (["--auth-mode", "sso", "--config", sso, "--namespace", "nowhere"], "the server's namespace nowhere does not exist")]:
        assert message in cli("up", "--port", "0", *cli.tiphys.runtime, *arguments, code=2).stderr, arguments
    up = cli.up()
    answer = Browser().ask(f"http://{up.server['address']}/oauth2/redirect")
    assert answer.code == 501 and "--auth-mode sso" in answer.text


@pytest.fixture(scope="session")
def dex_program():
    """A real provider; built at its first use, in minutes."""
    try:
        found = subprocess.run([ROOT / "tools" / "identity-provider"], capture_output=True, text=True, timeout=1500)
    except subprocess.TimeoutExpired:
        pytest.skip("NO REAL IDENTITY PROVIDER: building dex took too long")
    if found.returncode != 0:
        pytest.skip(f"NO REAL IDENTITY PROVIDER: {found.stderr.strip()[-300:]}")
    return found.stdout.strip()


class Dex:
    """Who comes is signed in at once, as Kilgore Trout of the group authors."""

    def __init__(self, program, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.program, self.folder, self.process = program, folder, None
        self.issuer = f"http://127.0.0.1:{self.port}/dex"

    def start(self, callback):
        config = self.folder / "dex.json"
        config.write_text(json.dumps({
            "issuer": self.issuer, "storage": {"type": "memory"}, "web": {"http": f"127.0.0.1:{self.port}"}, "oauth2": {"skipApprovalScreen": True},
            "staticClients": [{"id": CLIENT, "secret": SECRET, "name": "Tiphys", "redirectURIs": [callback]}],
            "connectors": [{"type": "mockCallback", "id": "mock", "name": "Mock"}]}))
        self.process = subprocess.Popen([self.program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if "listening (http)" in line:
                return
        raise AssertionError("".join(seen))

    def close(self):
        if self.process:
            self.process.kill()
            self.process.communicate()


def test_a_real_provider(cli, dex_program, tmp_path):
    dex = Dex(dex_program, tmp_path)
    try:
        plane = SignOn(cli, dex, scopes=["profile", "email", "groups"], rbac={"enabled": True})
        plane.account("authors", "'authors' in groups && email == 'kilgore@kilgore.trout'", verbs=("list",))
        dex.start(f"{plane.url}/oauth2/callback")
        browser = Browser()
        answer = browser.follow(f"{plane.url}/oauth2/redirect?redirect=/api/v1/userinfo")
        assert answer.code == 200, answer.text
        told = answer.json
        assert told.pop("subject")
        assert told == {"issuer": "argo-server", "groups": ["authors"], "email": "kilgore@kilgore.trout", "emailVerified": True, "name": "Kilgore Trout",
                        "serviceAccountName": "authors", "serviceAccountNamespace": "default"}
        assert browser.ask(f"{plane.url}{WORKFLOWS}").code == 200
        assert browser.ask(f"{plane.url}{WORKFLOWS}", "POST", SLEEPER).code == 403
    finally:
        dex.close()
