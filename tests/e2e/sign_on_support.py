"""What tests of single sign-on need: an OpenID provider that does as it is told, and browsers that follow it."""

import base64
import hashlib
import http.client
import http.server
import json
import secrets
import ssl
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from api_client import Api

CLIENT, SECRET = "tiphys", "s&cret: 1"
SECRETS = "/api/v1/namespaces/{}/secrets"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider(http.server.ThreadingHTTPServer):
    """On 127.0.0.1. Whoever comes to /auth is `person`, and is sent back at once."""

    daemon_threads = True

    def __init__(self, cert=None, key=None):
        super().__init__(("127.0.0.1", 0), Handler)
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.issuer = f"http{'s' if cert else ''}://127.0.0.1:{self.server_port}/realm"
        self.person = {"sub": "u-1", "email": "ann@example.com", "email_verified": True, "name": "Ann", "preferred_username": "ann", "groups": ["staff"]}
        self.userinfo, self.token, self.refuses, self.paths, self.codes = {}, {}, False, [], {}
        self.rotate()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def rotate(self):
        self.key, self.key_id = rsa.generate_private_key(public_exponent=65537, key_size=2048), secrets.token_hex(4)

    def web_key(self):
        public = self.key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, "n": number(public.n), "e": number(public.e)}

    def sign(self, claims):
        text = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": self.key_id}, claims))
        return text + "." + encode(self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, document, **headers):
        body = json.dumps(document).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        provider, url = self.server, urllib.parse.urlsplit(self.path)
        provider.paths.append(url.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        if url.path.endswith("/.well-known/openid-configuration"):
            self.answer(200, {"issuer": provider.issuer, "authorization_endpoint": f"{provider.issuer}/auth", "token_endpoint": f"{provider.issuer}/token",
                              "jwks_uri": f"{provider.issuer}/keys", "code_challenge_methods_supported": ["S256"], "id_token_signing_alg_values_supported": ["RS256"]})
        elif url.path.endswith("/keys"):
            self.answer(200, {"keys": [provider.web_key()]})
        elif url.path.endswith("/auth"):
            back = {"state": asked["state"]}
            if provider.refuses:
                back |= {"error": "access_denied", "error_description": "not\nyou"}
            else:
                back["code"] = secrets.token_hex(8)
                provider.codes[back["code"]] = asked
            self.answer(302, {}, Location=f"{asked['redirect_uri']}?{urllib.parse.urlencode(back)}")
        elif url.path.endswith("/userinfo"):
            good = self.headers["Authorization"] == "Bearer access"
            self.answer(200 if good else 401, provider.userinfo)
        else:
            self.answer(404, {})

    def do_POST(self):
        provider = self.server
        provider.paths.append(self.path)
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        asked = provider.codes.pop(form["code"], None)
        both = f"{urllib.parse.quote(CLIENT, safe='')}:{urllib.parse.quote(SECRET, safe='')}"
        proof = encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        good = (asked and asked["redirect_uri"] == form["redirect_uri"] and asked["code_challenge"] == proof and asked["client_id"] == CLIENT
                and self.headers["Authorization"] == "Basic " + base64.b64encode(both.encode()).decode())
        if not good:
            return self.answer(400, {"error": "invalid_grant"})
        claims = {"iss": provider.issuer, "aud": CLIENT, "exp": int(time.time()) + 60, "iat": int(time.time()), "nonce": asked["nonce"], **provider.person, **provider.token}
        self.answer(200, {"access_token": "access", "token_type": "Bearer", "id_token": provider.sign(claims)})


class Answer:
    def __init__(self, url, response):
        self.url, self.code, self.headers = url, response.status, response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


class Browser:
    """Keeps cookies by host and path, and looks at no certificate. `proxied` is the path that a proxy on the way takes off."""

    def __init__(self, proxied=""):
        self.cookies, self.set_cookies, self.proxied = {}, [], proxied

    def ask(self, url, method="GET", body=None, **headers):
        parts = urllib.parse.urlsplit(url)
        cookies = [f"{name}={value}" for (host, path, name), value in self.cookies.items() if host == parts.netloc and parts.path.startswith(path)]
        if cookies:
            headers.setdefault("Cookie", "; ".join(cookies))
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.netloc, timeout=60, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request(method, parts.path.removeprefix(self.proxied) + (f"?{parts.query}" if parts.query else ""), None if body is None else json.dumps(body),
                           {name.replace("_", "-"): value for name, value in headers.items()})
        answer = Answer(url, connection.getresponse())
        connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            self.keep(parts.netloc, cookie)
        return answer

    def keep(self, host, cookie):
        self.set_cookies.append(cookie)
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        path = next(each.partition("=")[2] for each in attributes if each.startswith("Path="))
        self.cookies[host, path, name] = value
        if "Max-Age=0" in attributes:
            del self.cookies[host, path, name]

    def follow(self, url, until=lambda _: False):
        """To an answer that sends nowhere else, or to where `until` holds of a URL, which is not asked."""
        for _ in range(10):
            if until(url):
                return url
            answer = self.ask(url)
            if answer.code not in (302, 303, 307):
                return answer
            url = urllib.parse.urljoin(url, answer.headers["Location"])
        raise AssertionError(f"it never ends: {url}")


class SignOn:
    """A plane whose people sign in at a provider."""

    def __init__(self, cli, provider, *arguments, namespace="default", modes=("sso",), **config):
        self.cli, self.provider = cli, provider
        self.config = {"issuer": provider.issuer, "clientId": {"name": "client", "key": "id"}, "clientSecret": {"name": "client", "key": "secret"}, **config}
        self.arguments = [*arguments, *(each for mode in modes for each in ("--auth-mode", mode))]
        self.start()
        self.secret("client", id=CLIENT, secret=SECRET)

    def start(self):
        self.up = self.cli.up("--config", self.cli.file(json.dumps({"sso": self.config}), "config.json"), *self.arguments)
        self.url = f"https://{self.up.server['address']}"
        self.api = Api(self.cli.data_dir)

    def restart(self):
        self.up.kill()
        self.start()

    def make(self, path, body):
        status, made = self.api.ask("POST", path, body)
        assert status == 201, made

    def secret(self, name, **values):
        self.make(SECRETS.format("default"), {"metadata": {"name": name}, "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}})

    def account(self, name, rule=None, precedence="0", namespace="default", verbs=()):
        """A service account that may do this with workflows of its namespace."""
        annotations = {} if rule is None else {"workflows.argoproj.io/rbac-rule": rule, "workflows.argoproj.io/rbac-rule-precedence": precedence}
        self.make(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name, "annotations": annotations}})
        if not verbs:
            return
        roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        self.make(f"{roles}/roles", {"metadata": {"name": name}, "rules": [{"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": list(verbs)}]})
        self.make(f"{roles}/rolebindings", {"metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                                            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]})

    def sign_in(self, browser=None, redirect="/api/v1/userinfo", **person):
        """A browser that is signed in."""
        self.provider.person = {**self.provider.person, **person}
        browser = browser or Browser()
        browser.last = browser.follow(f"{self.url}/oauth2/redirect?{urllib.parse.urlencode({'redirect': redirect})}")
        return browser

    def session(self, browser):
        return browser.cookies[self.up.server["address"], "/", "authorization"].strip('"')
