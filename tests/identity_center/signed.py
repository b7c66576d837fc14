"""Who calls: the signature of a request, checked by botocore's own signer where the secret is known."""

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import answers

SECRET = "test"


class Caller:
    """The parts of a signature's scope."""

    def __init__(self, key, region, service):
        self.key, self.region, self.service = key, region, service


def caller_of(method, url, headers, body):
    """Reads `Authorization`; refuses a request without it and a signature that is wrong.

    A key whose secret nobody here knows (a session of another stand-in) passes by its scope alone.
    """
    authorization = headers.get("Authorization", "")
    if not authorization.startswith("AWS4-HMAC-SHA256 "):
        raise _refused("MissingAuthenticationTokenException", "Missing Authentication Token")
    parts = dict(
        part.strip().split("=", 1) for part in authorization.removeprefix("AWS4-HMAC-SHA256 ").split(",")
    )
    key, date, region, service, _ = parts["Credential"].split("/")
    if key == "test" or (key.isdigit() and len(key) == 12):
        signed = {name: headers[name] for name in parts["SignedHeaders"].split(";") if headers.get(name) is not None}
        request = AWSRequest(method=method, url=url, data=body, headers=signed)
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = SigV4Auth(Credentials(key, SECRET), service, region)
        right = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        if right != parts["Signature"] or not headers["X-Amz-Date"].startswith(date):
            raise _refused(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided.",
            )
    return Caller(key, region, service)


def _refused(code, message):
    return answers.Refused(answers.admin_error(code, message, 403))
