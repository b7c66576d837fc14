"""A stand-in for AWS IAM Identity Center on loopback: stand_in.py (no arguments).

Admin side (sso-admin, identitystore, organizations, sts): moto, behind faults that a test orders. Client side (SSO
OIDC and the portal): ours, as no stand-in has them. Prints `Running on http://127.0.0.1:PORT` on stderr and ends when
its stdin closes. `POST /_seed`, `POST /_control` and `GET /_control` are the test's own (seeding.py, control.py).
"""

import json
import logging
import os
import socket
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

# no __pycache__ beside the sources
sys.dont_write_bytecode = True

import admin
import answers
import seeding
from assignments import Assignments
from control import Control
from oidc import Oidc
from portal import Portal
from world import World

# organizations has a ListAccounts too: the portal's is told apart in faults and records
PORTAL = {
    ("GET", "/federation/credentials"): "GetRoleCredentials",
    ("GET", "/assignment/accounts"): "PortalListAccounts",
    ("GET", "/assignment/roles"): "ListAccountRoles",
    ("POST", "/logout"): "Logout",
}
OIDC = {
    ("POST", "/client/register"): "RegisterClient",
    ("POST", "/device_authorization"): "StartDeviceAuthorization",
    ("POST", "/token"): "CreateToken",
    ("GET", "/authorize"): "Authorize",
    ("GET", "/device"): "Device",
}


class StandIn:
    """All parts, and which of them answers a request."""

    def __init__(self, url):
        self.world = World(url)
        self.assignments = Assignments(self.world)
        self.oidc = Oidc(self.world)
        self.portal = Portal(self.world, self.assignments, self.oidc)
        self.control = Control(self.world, self.assignments, self.oidc, self.portal)

    def own(self, method, path, query, body):
        """The test's own routes; an order that makes no sense is a 400 that says why."""
        wanted = json.loads(body or b"{}")
        with self.world.lock:
            try:
                if (method, path) == ("POST", "/_seed"):
                    made = seeding.seed(self.world, self.assignments, wanted)
                    return answers.rest({**made, "ous": seeding.units(self.world)})
                if (method, path) == ("POST", "/_control"):
                    return answers.rest(self.control.do(wanted))
                if (method, path) == ("GET", "/_control"):
                    calls = query.get("calls") != "0"
                    return answers.rest(self.control.view(int(query.get("since", 0)), calls))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return answers.rest({"error": f"{type(error).__name__}: {error}"}, 400)
        return answers.rest({"error": f"no {method} {path}"}, 404)

    def plan(self, method, path, headers, body):
        """(service, shape of its errors, operation, detail) of a request to AWS, or None."""
        if headers.get("X-Amz-Target"):
            service, operation = admin.service_of(headers["X-Amz-Target"])
            try:
                return service, answers.ADMIN, operation, admin.detail_of(json.loads(body or b"{}"))
            except (ValueError, AttributeError):
                return service, answers.ADMIN, operation, {}
        if (method, path) in PORTAL:
            return "sso", answers.PORTAL, PORTAL[(method, path)], {}
        if (method, path) in OIDC:
            return "sso-oidc", answers.OIDC, OIDC[(method, path)], {}
        if method == "POST" and b"Action=" in body:
            return "sts", answers.STS, dict(parse_qsl(body.decode()))["Action"], {}
        return None

    def work(self, service, operation, method, url, query, headers, body, plan):
        """The work of one request to AWS, under the lock."""
        try:
            if service == "sts":
                return admin.sts(self.world, url, headers, body)
            if service == "sso":
                return self._portal(operation, query, headers.get("x-amz-sso_bearer_token", ""))
            if service == "sso-oidc":
                return self._oidc(operation, query, body)
            return admin.answer(self.world, self.assignments, method, url, headers, body, plan)
        except answers.Refused as refused:
            return refused.answer
        except Exception as error:  # ours, or a request that lacks what it must have: seen on both sides
            traceback.print_exc()
            return answers.admin_error("InternalServerException", f"{type(error).__name__}: {error}", 500)

    def _portal(self, operation, query, token):
        portal = self.portal
        if operation == "Logout":
            portal.logout(token)
            return answers.Answer(200, b"", {"Content-Type": "application/json"})
        does = {
            "GetRoleCredentials": portal.credentials,
            "PortalListAccounts": portal.accounts,
            "ListAccountRoles": portal.roles,
        }
        return answers.rest(does[operation](token, query))

    def _oidc(self, operation, query, body):
        oidc = self.oidc
        if operation in ("Authorize", "Device"):
            return (oidc.authorize if operation == "Authorize" else oidc.device_page)(query)
        does = {
            "RegisterClient": oidc.register,
            "StartDeviceAuthorization": oidc.start_device,
            "CreateToken": oidc.create_token,
        }
        return answers.rest(does[operation](json.loads(body or b"{}")))


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stand_in = None

    def do_GET(self):
        """Every method is answered alike."""
        self._answer()

    def do_POST(self):
        """Every method is answered alike."""
        self._answer()

    def log_message(self, *_):
        """Says nothing: what came is in the record of calls."""

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path.startswith("/_"):
            self._send(self.stand_in.own(self.command, parts.path, query, body))
            return
        known = self.stand_in.plan(self.command, parts.path, self.headers, body)
        if known is None:
            self._send(answers.rest({"message": f"no {self.command} {parts.path} here"}, 404))
            return
        self._aws(*known, query, body)

    def _aws(self, service, shape, operation, detail, query, body):
        world, url = self.stand_in.world, f"http://{self.headers.get('Host')}{self.path}"
        with world.lock:
            call = world.record.begin(service, operation, detail)
            plan = world.faults.plan(service, shape, operation)
        pause(plan.before_ms)
        answer = plan.answer
        if answer is None and plan.cut != "cut_before":
            with world.lock:
                answer = self.stand_in.work(service, operation, self.command, url, query, self.headers, body, plan)
        with world.lock:
            world.record.end(call, plan.cut or answer.outcome)
        pause(plan.after_ms)
        self._send(answer, plan.cut)

    def _send(self, answer, cut=None):
        if cut in ("cut_before", "cut_after"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        head = f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}\r\n"
        sent = {"Date": self.date_time_string(), **answer.headers, "Content-Length": str(len(answer.body))}
        head += "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        whole = head.encode() + b"\r\n" + answer.body
        if cut == "cut_half":
            self.wfile.write(whole[: len(whole) - len(answer.body) // 2 - 1])
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        try:
            self.wfile.write(whole)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def pause(milliseconds):
    """Waits. libfaketime makes time.sleep fail where monotonic time is left alone."""
    if milliseconds > 0:
        threading.Event().wait(milliseconds / 1000)


class Server(ThreadingHTTPServer):
    """Many at once: a governor is only tested by what could be too much."""

    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        """A client that goes away is no error; anything else is ours, and seen."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def main():
    """Serves until stdin closes."""
    logging.disable(logging.CRITICAL)
    server = Server(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    Handler.stand_in = StandIn(url)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Running on {url}", file=sys.stderr, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
