"""A relying party that is not ours (PyJWT): oidc_relying_party.py ISSUER AUDIENCE [forge | none | hmac] < TOKEN.

Fetches the discovery document and the keys that it names, and judges the token as a relying party does. Prints the
claims as JSON, or `refused: ` and the name of the error. The third word changes the token first, as somebody without
our key could: another key's signature under our key id, no signature, our public key as a shared secret.
"""

import base64
import json
import sys
import urllib.request

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

issuer, audience = sys.argv[1:3]
attack = sys.argv[3] if len(sys.argv) > 3 else None
token = sys.stdin.read().strip()


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


with urllib.request.urlopen(issuer + "/.well-known/openid-configuration") as answer:
    discovery = json.load(answer)
assert discovery["issuer"] == issuer, discovery
header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
if attack == "forge":
    token = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": header["kid"]})
elif attack == "none":
    token = part({**header, "alg": "none"}) + "." + part(claims) + "."
elif attack == "hmac":
    with urllib.request.urlopen(discovery["jwks_uri"]) as answer:
        secret = answer.read()
    token = jwt.encode(claims, base64.b64encode(secret), "HS256", headers={"kid": header["kid"]})
try:
    key = jwt.PyJWKClient(discovery["jwks_uri"]).get_signing_key_from_jwt(token)
    needed = ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]
    judged = jwt.decode(
        token,
        key,
        algorithms=discovery["id_token_signing_alg_values_supported"],
        issuer=issuer,
        audience=audience,
        options={"require": needed, "strict_aud": True},
    )
    print(json.dumps(judged))
except jwt.PyJWTError as error:
    print("refused:", type(error).__name__)
