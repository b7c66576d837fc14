"""ID tokens that PyJWT makes, right and wrong: oidc_tokens.py ISSUER AUDIENCE. A JSON object a line: name, keys, token."""

import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER, AUDIENCE = sys.argv[1:3]
NOW = int(time.time())
GOOD = {"iss": ISSUER, "sub": "ana", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 300}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CURVE = ec.generate_private_key(ec.SECP256R1())


def jwk(key):
    """The public half, named `k`."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    public = json.loads(kind.to_jwk(key.public_key()))
    return {**{name: public[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in public}, "kid": "k"}


def say(name, claims, key=RSA, alg="RS256", listed=None):
    """A line."""
    token = jwt.encode(claims, key, alg, headers={"kid": "k"})
    print(json.dumps({"name": name, "keys": {"keys": [jwk(listed or key)]}, "token": token}))


def without(name):
    """What a good token says but for `name`."""
    return {key: value for key, value in GOOD.items() if key != name}


say("good by RS256", GOOD)
say("good by ES256", GOOD, CURVE, "ES256")
say("audience in a list", {**GOOD, "aud": [AUDIENCE]})
say("no audience", without("aud"))
say("no end", without("exp"))
say("no issuer", without("iss"))
say("no subject", without("sub"))
say("no time of making", without("iat"))
say("another audience", {**GOOD, "aud": "another"})
say("another issuer", {**GOOD, "iss": "https://evil.example"})
say("over", {**GOOD, "exp": NOW - 600})
say("not begun", {**GOOD, "nbf": NOW + 600})
say("none", GOOD, None, "none", RSA)
PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
# PyJWT refuses to sign with what looks like a public key: the bytes are hidden from it
HMAC = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
HMAC.prepare_key = lambda key: key
jwt.api_jws._jws_global_obj._algorithms["HS256"] = HMAC
say("HS256 with the public key", GOOD, PEM, "HS256", RSA)
say("RS256 of 1024 bits", GOOD, SMALL)
say("another's key", GOOD, rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256", RSA)
