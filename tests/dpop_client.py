"""Signs in at a backend and calls it, with proofs of a device (RFC 9449) that PyJWT makes: none of this code is jit's.

Usage: dpop_client.py URL NAME CODE. Prints what each call was answered, one a line.
"""

import base64
import hashlib
import json
import sys
import urllib.error
import urllib.request
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

URL, NAME, CODE = sys.argv[1:4]


class Device:
    """A key, and the proofs that it signs."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        whole = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        self.jwk = {name: whole[name] for name in ("crv", "kty", "x", "y")}

    def proof(self, method, path, nonce, token=None):
        """A proof of one call."""
        claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": URL + path, "iat": 0, "nonce": nonce}
        if token:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return jwt.encode(claims, self.key, "ES256", headers={"typ": "dpop+jwt", "jwk": self.jwk})


def call(method, path, body=None, **headers):
    """Status, JSON and the next nonce."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, json.loads(answer.read()), answer.headers["DPoP-Nonce"]


def said(what, status, body):
    """One line."""
    print(what, status, body.get("code") or body.get("person", {}).get("name") or "")


def main():
    """The play."""
    device = Device()
    new = {"name": NAME, "code": CODE, "key_storage": "file"}
    status, body, nonce = call("POST", "/v1/sessions", new, DPoP=device.proof("POST", "/v1/sessions", "none yet"))
    said("without a nonce", status, body)
    status, body, nonce = call("POST", "/v1/sessions", new, DPoP=device.proof("POST", "/v1/sessions", nonce))
    token = body["token"]
    said("opened", status, body["me"])
    proof = device.proof("GET", "/v1/me", nonce, token)
    said("called", *call("GET", "/v1/me", DPoP=proof, Authorization=f"DPoP {token}")[:2])
    said("again", *call("GET", "/v1/me", DPoP=proof, Authorization=f"DPoP {token}")[:2])
    other = Device().proof("GET", "/v1/me", nonce, token)
    said("from elsewhere", *call("GET", "/v1/me", DPoP=other, Authorization=f"DPoP {token}")[:2])
    said("token alone", *call("GET", "/v1/me", Authorization=f"Bearer {token}")[:2])


main()
