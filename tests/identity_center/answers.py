"""What the stand-in says: answers and refusals in the shape that each service of AWS gives them."""

import json
import uuid
from dataclasses import dataclass, field

ADMIN, PORTAL, OIDC, STS = "admin", "portal", "oidc", "sts"


@dataclass
class Answer:
    """One HTTP answer; `outcome` is what the record of calls says of it."""

    status: int
    body: bytes
    headers: dict = field(default_factory=dict)
    outcome: str = "ok"


class Refused(Exception):
    """An operation refuses: carries the answer."""

    def __init__(self, answer):
        super().__init__(answer.outcome)
        self.answer = answer


def _json(value, status, content_type, outcome, headers=None):
    body = json.dumps(value, separators=(",", ":")).encode()
    named = {"Content-Type": content_type, "x-amzn-RequestId": str(uuid.uuid4())}
    return Answer(status, body, {**named, **(headers or {})}, outcome)


def admin(value, status=200, outcome="ok"):
    """JSON 1.1: sso-admin, identitystore, organizations."""
    return _json(value, status, "application/x-amz-json-1.1", outcome)


def rest(value, status=200, outcome="ok"):
    """REST JSON: the portal and its OIDC, and what the test itself asks for."""
    return _json(value, status, "application/json", outcome)


def admin_error(code, message, status=400, **more):
    """`__type` names the error; there is no header for it in this protocol."""
    return admin({"__type": code, "message": message, **more}, status, code)


def portal_error(code, message, status):
    """The portal names its errors in a header and, with its own namespace, in the body."""
    body = {"message": message, "__type": f"com.amazonaws.switchboard.portal#{code}"}
    return _json(body, status, "application/json", code, {"x-amzn-ErrorType": code})


OIDC_ERRORS = {
    "access_denied": "AccessDeniedException",
    "authorization_pending": "AuthorizationPendingException",
    "expired_token": "ExpiredTokenException",
    "invalid_client": "InvalidClientException",
    "invalid_client_metadata": "InvalidClientMetadataException",
    "invalid_grant": "InvalidGrantException",
    "invalid_redirect_uri": "InvalidRedirectUriException",
    "invalid_request": "InvalidRequestException",
    "invalid_scope": "InvalidScopeException",
    "server_error": "InternalServerException",
    "slow_down": "SlowDownException",
    "unauthorized_client": "UnauthorizedClientException",
    "unsupported_grant_type": "UnsupportedGrantTypeException",
}


def oidc_error(error, description=None):
    """OAuth's `error` in the body, the exception's name in a header; 401 for a bad client, 400 for the rest."""
    code = OIDC_ERRORS[error]
    status = {"invalid_client": 401, "server_error": 500}.get(error, 400)
    body = {"error": error, "error_description": description}
    return _json(body, status, "application/json", code, {"x-amzn-ErrorType": code})


def sts_error(code, message, status=400):
    """The query protocol's XML."""
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Answer(status, body.encode(), {"Content-Type": "text/xml"}, code)


def page(text, status=200):
    """What a browser is shown."""
    return Answer(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


THROTTLED = {
    ADMIN: lambda: admin_error("ThrottlingException", "Rate exceeded"),
    PORTAL: lambda: portal_error("TooManyRequestsException", "HTTP 429 Unknown Code", 429),
    OIDC: lambda: oidc_error("slow_down"),
    STS: lambda: sts_error("Throttling", "Rate exceeded"),
}


def throttled(service):
    """Too many calls, as that service says it."""
    return THROTTLED[service]()


def error_of(service, code, message, status):
    """A named error in the shape of `service`."""
    if service == PORTAL:
        return portal_error(code, message, status)
    if service == STS:
        return sts_error(code, message, status)
    if service == OIDC:
        found = next((error for error, name in OIDC_ERRORS.items() if name == code), "invalid_request")
        return oidc_error(found, message)
    return admin_error(code, message, status)
