"""A mock of ours of GitHub Actions as an issuer: mock_github.py [PORT]. Prints its issuer; PyJWT makes its tokens.

It has what GitHub's issuer has and no more: a discovery document without any endpoint for people, a key set, and the
endpoint that a job asks for its token: GET /token?audience=…, which wants `Authorization: bearer of-the-job`. That takes
`claims` in its query, JSON that is said on top of the usual (null takes a claim away), and `how`, which lies:
  none, hs256     signed by nobody, or with the public key as a secret
  other           signed by a key that is not published, under the name of the one that is
  new             signed by a key that is published from then on in place of the old one
POST /lie has the documents say something else: {"discovery": {…}, "status": 503, "slow": true, "keys": bytes}.
"""

import json
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def new_key():
    """A key and its name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048), uuid.uuid4().hex


KEY, KID = new_key()
LIES = {}
# PyJWT refuses to sign with what looks like a public key: the bytes are hidden from it
HMAC = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
HMAC.prepare_key = lambda key: key
jwt.api_jws._jws_global_obj._algorithms["HS256"] = HMAC


def usual(issuer, audience):
    """What the token of a push to main says, of a job in an environment."""
    now = int(time.time())
    return {
        "jti": str(uuid.uuid4()),
        "sub": "repo:acme/payments:environment:production",
        "aud": audience,
        "ref": "refs/heads/main",
        "sha": "6d0d3a0e2c5c4f5b9f0d2f6c1a8e7b3d4c5e6f70",
        "repository": "acme/payments",
        "repository_owner": "acme",
        "repository_owner_id": "4567",
        "run_id": "19500000001",
        "run_number": "74",
        "run_attempt": "1",
        "repository_visibility": "private",
        "repository_id": "700000001",
        "actor_id": "583231",
        "actor": "alice-of-acme",
        "workflow": "deploy",
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
        "ref_protected": "true",
        "ref_type": "branch",
        "workflow_ref": "acme/payments/.github/workflows/deploy.yml@refs/heads/main",
        "workflow_sha": "6d0d3a0e2c5c4f5b9f0d2f6c1a8e7b3d4c5e6f70",
        "job_workflow_ref": "acme/payments/.github/workflows/deploy.yml@refs/heads/main",
        "job_workflow_sha": "6d0d3a0e2c5c4f5b9f0d2f6c1a8e7b3d4c5e6f70",
        "environment": "production",
        "runner_environment": "github-hosted",
        "iss": issuer,
        "nbf": now - 300,
        "exp": now + 300,
        "iat": now,
    }


def signed(claims, how):
    """A token of these claims."""
    global KEY, KID
    if how == "none":
        return jwt.encode(claims, None, "none", headers={"kid": KID})
    if how == "hs256":
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        public = KEY.public_key().public_bytes(serialization.Encoding.PEM, kind)
        return jwt.encode(claims, public, "HS256", headers={"kid": KID})
    if how == "other":
        return jwt.encode(claims, new_key()[0], "RS256", headers={"kid": KID})
    if how == "new":
        KEY, KID = new_key()
    return jwt.encode(claims, KEY, "RS256", headers={"kid": KID})


def jwk():
    """The key that is published."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KID, "n": public["n"], "e": public["e"]}


class Answers(BaseHTTPRequestHandler):
    """One call."""

    def do_GET(self):
        """Documents and tokens."""
        issuer = f"http://127.0.0.1:{self.server.server_port}"
        url = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/token":
            if self.headers.get("authorization") != "bearer of-the-job":
                return self.say(401, {"message": "Bad credentials"})
            claims = usual(issuer, asked.get("audience", "nobody"))
            claims.update(json.loads(asked.get("claims", "{}")))
            claims = {name: value for name, value in claims.items() if value is not None}
            token = signed(claims, asked.get("how"))
            return self.say(200, {"count": len(token), "value": token})
        if LIES.get("slow"):
            time.sleep(30)
        if LIES.get("status"):
            return self.say(LIES["status"], {})
        if url.path == "/.well-known/openid-configuration":
            document = {
                "issuer": issuer,
                "jwks_uri": f"{issuer}/.well-known/jwks",
                "subject_types_supported": ["public", "pairwise"],
                "response_types_supported": ["id_token"],
                "claims_supported": sorted(usual(issuer, "")),
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
            }
            return self.say(200, {**document, **LIES.get("discovery", {})})
        if url.path == "/.well-known/jwks":
            if LIES.get("keys"):
                return self.say(200, {"keys": [], "more": "x" * LIES["keys"]})
            return self.say(200, {"keys": [jwk()]})
        return self.say(404, {})

    def do_POST(self):
        """What is said from now on."""
        LIES.clear()
        LIES.update(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.say(200, {})

    def say(self, status, what):
        """An answer."""
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Answers)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
