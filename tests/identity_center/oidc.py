"""SSO OIDC, which no stand-in of others has: this one is ours.

Its shapes come from botocore's service model and are checked by letting botocore and the aws CLI sign in with it.
RegisterClient, StartDeviceAuthorization, CreateToken (device code, authorization code with PKCE S256, refresh token),
and the two pages that a browser opens: /authorize and /device.
"""

import base64
import hashlib
import secrets
import time
from urllib.parse import urlencode, urlsplit

import answers

DEVICE, CODE, REFRESH = "urn:ietf:params:oauth:grant-type:device_code", "authorization_code", "refresh_token"
SCOPE = "sso:account:access"


def _refused(error, description=None):
    return answers.Refused(answers.oidc_error(error, description))


class Oidc:
    """Clients, codes and tokens."""

    def __init__(self, world):
        self.world = world
        self.clients = {}
        self.devices = {}
        self.codes = {}
        self.refresh_tokens = {}
        self.access_tokens = {}

    # --- what clients call ------------------------------------------------------------------------------------------

    def register(self, body):
        """RegisterClient."""
        if not body.get("clientName") or body.get("clientType") != "public":
            raise _refused("invalid_client_metadata", "Invalid client type")
        for uri in body.get("redirectUris") or []:
            if not self._is_loopback(uri):
                raise _refused("invalid_redirect_uri", "Invalid redirect uri")
        if CODE in (body.get("grantTypes") or []) and not (body.get("redirectUris") and body.get("issuerUrl")):
            raise _refused("invalid_request", "redirectUris and issuerUrl are needed for this grant type")
        now, client_id = int(time.time()), secrets.token_urlsafe(22)
        expires = now + self.world.settings["client_seconds"]
        client = {"secret": secrets.token_urlsafe(60), "expires": expires, "given": body}
        self.clients[client_id] = client
        return {
            "clientId": client_id,
            "clientSecret": client["secret"],
            "clientIdIssuedAt": now,
            "clientSecretExpiresAt": expires,
        }

    @staticmethod
    def _is_loopback(uri):
        parts = urlsplit(uri)
        return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1") and not parts.query

    def start_device(self, body):
        """StartDeviceAuthorization."""
        self._client(body)
        if not str(body.get("startUrl", "")).startswith(self.world.start_url):
            raise _refused("invalid_request", "Invalid startUrl provided")
        settings = self.world.settings
        letters = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8))
        user_code, device_code = f"{letters[:4]}-{letters[4:]}", secrets.token_urlsafe(40)
        self.devices[device_code] = {
            "client": body["clientId"],
            "user_code": user_code,
            "expires": time.time() + settings["device_seconds"],
            "polled": 0,
            "user": settings["browser"],
            "denied": False,
        }
        page = f"{self.world.url}/device"
        return {
            "deviceCode": device_code,
            "userCode": user_code,
            "verificationUri": page,
            "verificationUriComplete": f"{page}?user_code={user_code}",
            "expiresIn": settings["device_seconds"],
            "interval": settings["device_interval"],
        }

    def create_token(self, body):
        """CreateToken. Field names are camel case, unlike OAuth's own."""
        grant = body.get("grantType")
        client = self._client(body)
        if grant == DEVICE:
            user = self._by_device(body)
        elif grant == CODE:
            user = self._by_code(body)
        elif grant == REFRESH:
            user = self._by_refresh(body)
        else:
            raise _refused("unsupported_grant_type")
        return self._tokens(user, body["clientId"], client)

    def _client(self, body):
        client = self.clients.get(body.get("clientId"))
        if client is None or client["secret"] != body.get("clientSecret"):
            raise _refused("invalid_client", "Invalid client provided")
        if client["expires"] <= time.time():
            raise _refused("invalid_client", "Client is expired")
        return client

    def _by_device(self, body):
        device = self.devices.get(body.get("deviceCode"))
        if device is None or device["client"] != body["clientId"]:
            raise _refused("invalid_grant", "Invalid device code provided")
        if device["expires"] <= time.time():
            raise _refused("expired_token", "Device code is expired")
        if device["denied"]:
            raise _refused("access_denied", "The request was denied")
        now, before = time.time(), device["polled"]
        device["polled"] = now
        if device["user"] is None:
            # one look too early is forgiven: the aws CLI asks twice before it waits
            device["early"] = device.get("early", 0) + (now - before < self.world.settings["device_interval"] * 0.9)
            raise _refused("slow_down" if device["early"] > 1 else "authorization_pending")
        del self.devices[body["deviceCode"]]
        return device["user"]

    def _by_code(self, body):
        code = self.codes.pop(body.get("code"), None)
        if code is None or code["client"] != body["clientId"] or code["expires"] <= time.time():
            raise _refused("invalid_grant", "Invalid authorization code provided")
        digest = hashlib.sha256(str(body.get("codeVerifier", "")).encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code["challenge"]:
            raise _refused("invalid_grant", "Invalid code verifier provided")
        if body.get("redirectUri") != code["redirect_uri"]:
            raise _refused("invalid_grant", "Invalid redirect uri provided")
        return code["user"]

    def _by_refresh(self, body):
        token = self.refresh_tokens.get(body.get("refreshToken"))
        if token is None or token["client"] != body["clientId"] or token["expires"] <= time.time():
            raise _refused("invalid_grant", "Invalid refresh token provided")
        # AWS gives the next one with each refresh; the old one is spent
        del self.refresh_tokens[body["refreshToken"]]
        return token["user"]

    def _tokens(self, user, client_id, client):
        settings, now = self.world.settings, time.time()
        access = "aoaAAAA" + secrets.token_urlsafe(60)
        self.access_tokens[access] = {"user": user, "expires": now + settings["token_seconds"]}
        answer = {"accessToken": access, "tokenType": "Bearer", "expiresIn": settings["token_seconds"]}
        # without the scope (the old start-url set-up) there is nothing to refresh with
        if SCOPE in (client["given"].get("scopes") or []):
            refresh = "aorAAAA" + secrets.token_urlsafe(60)
            expires = now + settings["refresh_seconds"]
            self.refresh_tokens[refresh] = {"user": user, "client": client_id, "expires": expires}
            answer["refreshToken"] = refresh
        return answer

    # --- what a browser opens ---------------------------------------------------------------------------------------

    def authorize(self, query):
        """The page of the code road: sends the browser back at once, as whoever sits there."""
        client = self.clients.get(query.get("client_id"))
        wanted = query.get("redirect_uri", "")
        registered = (client or {"given": {}})["given"].get("redirectUris") or []
        # loopback: any port, the same path
        paths = {urlsplit(uri).path for uri in registered}
        if client is None or not self._is_loopback(wanted) or urlsplit(wanted).path not in paths:
            return answers.page("invalid client or redirect uri", 400)
        user = self.world.settings["browser"]
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            back = {"error": "invalid_request", "state": query.get("state", "")}
        elif user is None:
            back = {"error": "access_denied", "state": query.get("state", "")}
        else:
            code = secrets.token_urlsafe(40)
            self.codes[code] = {
                "client": query["client_id"],
                "challenge": query.get("code_challenge"),
                "redirect_uri": wanted,
                "expires": time.time() + 600,
                "user": user,
            }
            back = {"code": code, "state": query.get("state", "")}
        return answers.Answer(302, b"", {"Location": f"{wanted}?{urlencode(back)}"})

    def device_page(self, query):
        """The page of the device road; the test approves through /_control."""
        waiting = [device["user_code"] for device in self.devices.values()]
        if query.get("user_code") and query["user_code"] not in waiting:
            return answers.page("this code is not valid", 404)
        return answers.page("approve with POST /_control {\"approve\": {\"user\": NAME}}")

    # --- what a test does -------------------------------------------------------------------------------------------

    def decide(self, user, user_code, denied):
        """Somebody at a browser approves or refuses a device code: the newest, or the one named."""
        waiting = [one for one in self.devices.values() if one["user"] is None and not one["denied"]]
        found = [one for one in waiting if user_code in (None, one["user_code"])]
        if not found:
            raise ValueError(f"no device code {user_code or ''} waits")
        found[-1].update({"denied": True} if denied else {"user": user})

    def expire(self, user=None, refresh=False):
        """Ends the access tokens (of one user); with `refresh` their refresh tokens too."""
        for tokens in [self.access_tokens, *([self.refresh_tokens] if refresh else [])]:
            for token in tokens.values():
                if user in (None, token["user"]):
                    token["expires"] = 0

    def user_of(self, token):
        """Whose access token this is, while it lives."""
        found = self.access_tokens.get(token)
        return found["user"] if found and found["expires"] > time.time() else None

    def view(self):
        """For `GET /_control`."""
        return {
            "device_codes": [one["user_code"] for one in self.devices.values() if one["user"] is None],
            "clients": [client["given"] for client in self.clients.values()],
            "live_tokens": sum(1 for token in self.access_tokens.values() if token["expires"] > time.time()),
        }
