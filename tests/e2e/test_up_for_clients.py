"""`tiphys up` for other programs: the shell's environment, the audit log, addresses and certificates."""

import json
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from cli_support import cli  # noqa: F401


def server_of(cli):
    return json.loads((cli.data_dir / "server.json").read_text())


def request(cli, path, token=None, scheme="http", context=None):
    server = server_of(cli)
    asked = urllib.request.Request(f"{scheme}://{server['address']}{path}", headers={"Authorization": f"Bearer {token or server['token']}"})
    with urllib.request.urlopen(asked, timeout=30, context=context) as answer:
        return json.load(answer)


def test_a_shell_gets_its_kubeconfig(cli):
    assert "start one with `tiphys up`" in cli("env", code=1).stderr
    cli.up()
    shown = cli("env", "--shell", "sh").stdout
    path = subprocess.run(["sh", "-c", shown + 'printf %s "$KUBECONFIG"'], capture_output=True, text=True, check=True).stdout
    assert path == str(cli.data_dir / "kubeconfig")
    assert cli("env", "--shell", "fish").stdout == f"set -gx KUBECONFIG '{path}'\n"


def test_requests_are_in_the_audit_log(cli, tmp_path):
    log = tmp_path / "audit.log"
    cli.up("--audit-log", log)
    request(cli, "/api/v1/namespaces/default/configmaps?limit=1")
    with pytest.raises(urllib.error.HTTPError) as refused:
        request(cli, "/api/v1/namespaces/default/secrets/s", token="wrong")
    assert refused.value.code == 401
    told = [json.loads(line) for line in log.read_text().splitlines()]
    listed = next(event for event in told if event["verb"] == "list" and event["objectRef"]["resource"] == "configmaps")
    assert listed["user"]["username"] == "tiphys:admin"
    assert listed["sourceIPs"] == ["127.0.0.1"]
    assert listed["responseStatus"]["code"] == 200
    assert listed["stage"] == "ResponseComplete"
    stranger = next(event for event in told if event["user"]["username"] == "system:anonymous")
    assert stranger["responseStatus"]["code"] == 401
    assert stranger["requestURI"].endswith("/secrets/s")
    assert log.stat().st_mode & 0o077 == 0


def certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
                    "-keyout", folder / "key.pem", "-out", folder / "chain.pem"], check=True, capture_output=True)
    return folder / "chain.pem", folder / "key.pem"


def test_an_address_of_others_needs_a_certificate(cli, tmp_path):
    chain, key = certificate(tmp_path, "localhost")
    for arguments, message in [
            (["--address", "0.0.0.0"], "give --tls-certificate and --tls-key"),
            (["--tls-key", key], "belong together"),
            (["--secure=false", "--address", "0.0.0.0"], "give --tls-certificate and --tls-key"),
            (["--secure=false", "--tls-certificate", chain, "--tls-key", key], "is of no use with --secure=false"),
            (["--tls-certificate", tmp_path / "none.pem", "--tls-key", key], "none.pem cannot be read"),
            (["--tls-certificate", key, "--tls-key", key], "holds no certificate"),
            (["--address", "nonsense"], "is no address to listen on")]:
        assert message in cli("up", "--port", "0", *arguments, code=2).stderr, arguments


def test_a_certificate_of_ones_own(cli, tmp_path):
    chain, key = certificate(tmp_path, "localhost")
    cli.up("--tls-certificate", chain, "--tls-key", key)
    context = ssl.create_default_context(cafile=chain)
    assert request(cli, "/version", scheme="https", context=context)["major"] == "1"
    kubeconfig = (cli.data_dir / "kubeconfig").read_text()
    assert "certificate-authority-data" in kubeconfig


def test_plain_text_alone(cli):
    cli.up("--secure=false")
    assert request(cli, "/version")["major"] == "1"
    address = server_of(cli)["address"]
    assert address not in (cli.data_dir / "kubeconfig").read_text(), "Kubernetes' clients want TLS, and get a port for that"
    with pytest.raises(urllib.error.URLError) as refused:
        request(cli, "/version", scheme="https", context=ssl._create_unverified_context())
    assert isinstance(refused.value.reason, ssl.SSLError)


def test_other_machines_are_served_by_tls_alone(cli, tmp_path):
    """On all addresses, in a network of its own that nobody else reaches."""
    chain, key = certificate(tmp_path, "plane.example")
    try:
        subprocess.run(["unshare", "--net", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network namespace can be made here")
    ask = f"""
        ip link set lo up
        {cli.binary} up --runtime process --port 7443 --address 0.0.0.0 --tls-certificate {chain} --tls-key {key} > {tmp_path}/up.log &
        until [ -s {tmp_path}/up.log ]; do kill -0 $! || exit 1; sleep 0.05; done
        token=$(cat {cli.data_dir}/token)
        curl -s --cacert {chain} --resolve plane.example:7443:127.0.0.1 -H "Authorization: Bearer $token" https://plane.example:7443/version | grep -c gitVersion
        curl -s -o /dev/null -w '%{{http_code}}\\n' --cacert {chain} --resolve plane.example:7443:127.0.0.1 https://plane.example:7443/version
        curl -s -H "Authorization: Bearer $token" http://127.0.0.1:7443/version | grep -o 'plain HTTP'
        kill $!; wait $! || true
    """
    done = subprocess.run(["unshare", "--net", "sh", "-ec", ask], env=cli.env, capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:3] == ["1", "401", "plain HTTP"], done.stdout + done.stderr
