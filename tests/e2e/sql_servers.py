"""Real database servers for tests: in folders of their own, as a user without rights, on a free port of 127.0.0.1."""

import glob
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

import pytest

USER, PASSWORD, DATABASE = "argo", "s3cret: %'\"", "argo"


def find_program(name, folders=()):
    for folder in [*sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True), "/usr/sbin", *folders]:
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    return shutil.which(name)


class SqlServer:
    kind = programs = None

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-sql-"))
        # Servers do not run as root.
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @classmethod
    def missing(cls):
        return [name for name in cls.programs if not find_program(name)]

    def owned(self, path, mode=0o600):
        """Of the server's user."""
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        path.chmod(mode)
        return path

    def run(self, *command, **options):
        done = subprocess.run([find_program(command[0]), *map(str, command[1:])], text=True, capture_output=True, cwd=self.folder, **options)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def as_server(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def certificate(self):
        """Of 127.0.0.1, signed by itself."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", "server.key", "-out", "server.crt"], cwd=self.folder, check=True, capture_output=True)
        self.owned(self.folder / "server.crt", 0o644)
        return self.owned(self.folder / "server.key")

    def config(self, **more):
        """The field `persistence` of the controller's configuration."""
        database = {"host": "127.0.0.1", "port": self.port, "database": DATABASE, "tableName": "argo_workflows",
                    "userNameSecret": {"name": "archive-user", "key": "name"}, "passwordSecret": {"name": "archive-user", "key": "word"}}
        return {"archive": True, **more.pop("persistence", {}), self.kind: {**database, **more}}


class PostgreSql(SqlServer):
    kind, programs = "postgresql", ("initdb", "pg_ctl", "psql")

    def __init__(self):
        super().__init__()
        self.data = self.folder / "data"
        self.run("initdb", "-D", self.data, "-U", "owner", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "-E", "UTF8", **self.as_server())
        self.tls = False
        self.start()
        word = PASSWORD.replace("'", "''")
        for statement in (f"CREATE USER {USER} PASSWORD '{word}'", f"CREATE DATABASE {DATABASE} OWNER {USER}"):
            self.run("psql", "-h", self.folder, "-p", self.port, "-U", "owner", "-d", "postgres", "-c", statement)

    def start(self):
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder} -c fsync=off"
        if self.tls:
            options += f" -c ssl=on -c ssl_cert_file={self.folder}/server.crt -c ssl_key_file={self.folder}/server.key"
        # Its log is no pipe of ours, which it would keep open.
        subprocess.run([find_program("pg_ctl"), "start", "-w", "-D", self.data, "-l", self.folder / "log", "-o", options], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, **self.as_server())

    def stop(self):
        """At once, as in a crash."""
        self.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.data, **self.as_server())

    def with_tls(self):
        """From now on by TLS alone."""
        self.certificate()
        (self.data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        self.stop()
        self.tls = True
        self.start()

    def sql(self, text):
        """The rows of the last statement, their columns as texts; "" for NULL."""
        out = self.run("psql", "-h", self.folder, "-p", self.port, "-U", USER, "-d", DATABASE, "-qAt", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1", input=text)
        return [row.split("\x1f") for row in out.rstrip("\n").split("\x1e") if row]

    @staticmethod
    def literal(text):
        return "'" + text.replace("'", "''") + "'"

    def close(self):
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)


class MySql(SqlServer):
    kind, programs = "mysql", ("mariadb-install-db", "mariadbd", "mariadb", "mariadb-admin")

    def __init__(self):
        super().__init__()
        self.data, self.socket, self.tls = self.folder / "data", self.folder / "sock", False
        # In a folder that they share, such servers take each other's files away.
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.folder}", "--auth-root-authentication-method=normal", "--skip-test-db", **self.as_server())
        self.start()
        word = self.literal(PASSWORD)
        self.admin(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4; CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY {word}; GRANT ALL ON {DATABASE}.* TO {USER}@'127.0.0.1'")

    def start(self):
        command = [find_program("mariadbd"), "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                   f"--tmpdir={self.folder}", f"--pid-file={self.folder}/pid", "--default-time-zone=+00:00", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=32M"]
        if self.tls:
            command += [f"--ssl-cert={self.folder}/server.crt", f"--ssl-key={self.folder}/server.key"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.as_server())
        self.run("mariadb-admin", "--no-defaults", f"--socket={self.socket}", "-uroot", "--wait=100", "ping")

    def stop(self):
        """At once, as in a crash."""
        self.process.kill()
        self.process.wait()

    def with_tls(self):
        """From now on by TLS alone."""
        self.certificate()
        self.admin(f"ALTER USER {USER}@'127.0.0.1' REQUIRE SSL")
        self.stop()
        self.tls = True
        self.start()

    def admin(self, text, *arguments):
        return self.run("mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "--default-character-set=utf8mb4", *arguments, input=text)

    def sql(self, text):
        """The rows of the last statement, their columns as texts; "" for NULL."""
        out = self.admin(text, "--batch", "--raw", "--skip-column-names", DATABASE)
        return [row.split("\t") for row in out.splitlines()]

    @staticmethod
    def literal(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)


SERVERS = {"postgresql": PostgreSql, "mysql": MySql}


@pytest.fixture(params=SERVERS)
def database(request):
    kind = SERVERS[request.param]
    if kind.missing():
        pytest.skip(f"no {request.param}: {', '.join(kind.missing())} not found (tools/bootstrap installs it)")
    server = kind()
    yield server
    server.close()


def insert_row(server, workflow, cluster="default", instance=""):
    """As the original writes a workflow that has ended."""
    meta, status = workflow["metadata"], workflow["status"]
    columns = [cluster, instance, meta["uid"], meta["name"], meta["namespace"], status["phase"], *(
        time.replace("T", " ").rstrip("Z") for time in (status["startedAt"], status["finishedAt"], meta["creationTimestamp"])), json.dumps(workflow)]
    labels = [[cluster, meta["uid"], *label] for label in meta["labels"].items()]
    text = [f"INSERT INTO argo_archived_workflows (clustername, instanceid, uid, name, namespace, phase, startedat, finishedat, creationtimestamp, workflow) "
            f"VALUES ({', '.join(map(server.literal, columns))});"]
    text += [f"INSERT INTO argo_archived_workflows_labels (clustername, uid, name, value) VALUES ({', '.join(map(server.literal, label))});" for label in labels]
    return "\n".join(text)
