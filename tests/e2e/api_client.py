"""A small client of a plane's API over HTTP, for tests that care about each request and its time."""

import http.client
import json


class Api:
    """One connection, made anew when it is needed; raises OSError or HTTPException when the server goes away."""

    def __init__(self, data_dir, timeout=60):
        server = json.loads((data_dir / "server.json").read_text())
        self.host, self.token, self.timeout, self.connection = server["address"], server["token"], timeout, None

    def ask(self, method, path, body=None, kind="application/json"):
        """The status code and the document."""
        answer = self.open(method, path, body, kind)
        return answer.status, json.loads(answer.read())

    def open(self, method, path, body=None, kind="application/json"):
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
            self.connection.request(method, path, None if body is None else json.dumps(body), {"Authorization": f"Bearer {self.token}", "Content-Type": kind})
            return self.connection.getresponse()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
