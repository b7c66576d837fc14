"""The client side: the real botocore clients of sso-oidc and sso sign in and fetch credentials."""

import base64
import hashlib
import time
import urllib.error
import urllib.parse
import urllib.request

from check_tools import PROD, STAGING, create, delete, refusal, same, stand_in

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
BACK = "http://127.0.0.1/oauth/callback"
SCOPES = ["sso:account:access"]
ON_PROD = {"permission_set": "ReadOnly", "account": PROD, "user": "alice"}


def registered(stand, **more):
    """(client, its id and secret)."""
    oidc = stand.client("sso-oidc")
    made = oidc.register_client(clientName="jit", clientType="public", scopes=SCOPES, **more)
    assert made["clientSecretExpiresAt"] > made["clientIdIssuedAt"], made
    return oidc, {"clientId": made["clientId"], "clientSecret": made["clientSecret"]}


def signed_in(stand, user="alice"):
    """A token of somebody, by the device road."""
    stand.control(settings={"browser": user})
    oidc, client = registered(stand)
    device = oidc.start_device_authorization(startUrl=stand.made["start_url"], **client)
    token = oidc.create_token(grantType=DEVICE, deviceCode=device["deviceCode"], **client)
    stand.control(settings={"browser": None})
    return oidc, client, token


def the_device_road_waits_and_ends():
    """Pending, too fast, approved; refused; expired; another client's code."""
    with stand_in() as stand:
        oidc, client = registered(stand)
        bad = {"clientId": client["clientId"], "clientSecret": "no"}
        start = stand.made["start_url"]
        same(refusal(oidc.start_device_authorization, startUrl=start, **bad)[:2], ("InvalidClientException", 401))
        elsewhere = refusal(oidc.start_device_authorization, startUrl="https://other.awsapps.com/start", **client)
        same(elsewhere[0], "InvalidRequestException")
        device = oidc.start_device_authorization(startUrl=start, **client)
        same((device["interval"], device["expiresIn"]), (1, 600))
        page = urllib.request.urlopen(device["verificationUriComplete"], timeout=5)
        same(page.status, 200)
        ask = {"grantType": DEVICE, "deviceCode": device["deviceCode"], **client}
        seen = [refusal(oidc.create_token, **ask)[:2] for _ in range(4)]
        same(seen[0], ("AuthorizationPendingException", 400))
        same(seen[-1], ("SlowDownException", 400))
        same(stand.view()["device_codes"], [device["userCode"]])
        stand.control(approve={"user": "alice", "user_code": device["userCode"]})
        token = oidc.create_token(**ask)
        same((token["tokenType"], token["expiresIn"], "refreshToken" in token), ("Bearer", 28800, True))
        same(refusal(oidc.create_token, **ask)[0], "InvalidGrantException")
        device = oidc.start_device_authorization(startUrl=start, **client)
        stand.control(deny={})
        ask["deviceCode"] = device["deviceCode"]
        same(refusal(oidc.create_token, **ask)[0], "AccessDeniedException")
        stand.control(settings={"device_seconds": 0})
        ask["deviceCode"] = oidc.start_device_authorization(startUrl=start, **client)["deviceCode"]
        same(refusal(oidc.create_token, **ask)[0], "ExpiredTokenException")
        same(refusal(oidc.create_token, **{**ask, "grantType": "password"})[0], "UnsupportedGrantTypeException")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def browsed(url):
    """Where the page sends the browser, or the status."""
    try:
        return urllib.request.build_opener(_NoRedirect).open(url, timeout=5).status
    except urllib.error.HTTPError as answer:
        where = answer.headers.get("Location")
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(where).query)) if where else answer.code


def the_code_road_needs_its_verifier():
    """PKCE S256, any loopback port, each code once."""
    with stand_in() as stand:
        grants = {"grantTypes": ["authorization_code", "refresh_token"], "issuerUrl": stand.made["start_url"]}
        oidc, client = registered(stand, redirectUris=[BACK], **grants)
        away = {"clientName": "jit", "clientType": "public", "redirectUris": ["http://example.com/x"], **grants}
        same(refusal(oidc.register_client, **away)[0], "InvalidRedirectUriException")
        verifier = "v" * 64
        digest = hashlib.sha256(verifier.encode()).digest()
        port = "http://127.0.0.1:34567/oauth/callback"
        query = {
            "response_type": "code",
            "client_id": client["clientId"],
            "redirect_uri": port,
            "state": "st4te",
            "scopes": SCOPES[0],
            "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }
        page = lambda **other: browsed(f"{stand.url}/authorize?" + urllib.parse.urlencode({**query, **other}))
        same(page(), {"error": "access_denied", "state": "st4te"})
        stand.control(settings={"browser": "alice"})
        same(page(redirect_uri="http://127.0.0.1:34567/elsewhere"), 400)
        same(page(code_challenge_method="plain")["error"], "invalid_request")
        ask = {"grantType": "authorization_code", "redirectUri": port, "codeVerifier": verifier, **client}
        wrong = {**ask, "code": page()["code"], "codeVerifier": "w" * 64}
        same(refusal(oidc.create_token, **wrong)[:2], ("InvalidGrantException", 400))
        back = page()
        same(back["state"], "st4te")
        token = oidc.create_token(code=back["code"], **ask)
        assert token["accessToken"] and token["refreshToken"]
        same(refusal(oidc.create_token, code=back["code"], **ask)[0], "InvalidGrantException")


def a_refresh_token_is_spent_once():
    """And one that has ended is refused; without the scope there is none."""
    with stand_in() as stand:
        oidc, client, token = signed_in(stand)
        ask = {"grantType": "refresh_token", "refreshToken": token["refreshToken"], **client}
        second = oidc.create_token(**ask)
        assert second["accessToken"] != token["accessToken"]
        same(refusal(oidc.create_token, **ask)[0], "InvalidGrantException")
        stand.control(end_sessions="alice")
        ask["refreshToken"] = second["refreshToken"]
        same(refusal(oidc.create_token, **ask)[0], "InvalidGrantException")
        stand.control(settings={"browser": "alice"})
        made = oidc.register_client(clientName="old", clientType="public")
        client = {"clientId": made["clientId"], "clientSecret": made["clientSecret"]}
        device = oidc.start_device_authorization(startUrl=stand.made["start_url"], **client)
        assert "refreshToken" not in oidc.create_token(grantType=DEVICE, deviceCode=device["deviceCode"], **client)


def credentials_end_in_epoch_milliseconds():
    """With the permission set's session, and 401, 403, 400 as people have seen them."""
    with stand_in() as stand:
        token = signed_in(stand)[2]["accessToken"]
        portal, ask = stand.client("sso"), {"roleName": "ReadOnly", "accountId": PROD}
        same(refusal(portal.get_role_credentials, accessToken=token, **ask), ("ForbiddenException", 403, "No access"))
        stand.control(assign=[ON_PROD])
        found = portal.get_role_credentials(accessToken=token, **ask)["roleCredentials"]
        left = found["expiration"] / 1000 - time.time()
        assert 7190 < left <= 7200, left
        assert found["accessKeyId"].startswith("ASIA") and found["secretAccessKey"] and found["sessionToken"]
        same(stand.view()["sessions"][0]["user"], "alice")
        bad = refusal(portal.get_role_credentials, accessToken="nonsense", **ask)
        same(bad, ("UnauthorizedException", 401, "Session token not found or invalid"))
        stand.control(expire_tokens=True)
        same(refusal(portal.get_role_credentials, accessToken=token, **ask)[:2], ("UnauthorizedException", 401))
        none = {"roleName": "", "accountId": "", "accessToken": token}
        same(refusal(portal.get_role_credentials, **none)[:2], ("InvalidRequestException", 400))


def credentials_come_a_while_after_the_assignment():
    """SUCCEEDED, and still 403 for the propagation; taken away, and 200 for a moment."""
    with stand_in() as stand:
        sso, token = stand.client("sso-admin"), signed_in(stand)[2]["accessToken"]
        portal = stand.client("sso")
        ask = {"roleName": "ReadOnly", "accountId": PROD, "accessToken": token}
        stand.control(settings={"propagation_ms": 700, "removal_ms": 700})
        same(create(stand, sso)[-1]["Status"], "SUCCEEDED")
        same(refusal(portal.get_role_credentials, **ask)[0], "ForbiddenException")
        time.sleep(0.75)
        portal.get_role_credentials(**ask)
        same(delete(stand, sso)[-1]["Status"], "SUCCEEDED")
        portal.get_role_credentials(**ask)
        time.sleep(0.75)
        same(refusal(portal.get_role_credentials, **ask)[0], "ForbiddenException")


def the_portal_lists_what_is_assigned():
    """Accounts and roles, groups included; after the logout nothing."""
    with stand_in() as stand:
        token, portal = signed_in(stand)[2]["accessToken"], stand.client("sso")
        stand.seed({"groups": [{"name": "ops", "members": ["alice"]}]})
        stand.control(assign=[ON_PROD, {"permission_set": "Admin", "account": STAGING, "group": "ops"}])
        pages = portal.get_paginator("list_accounts").paginate(accessToken=token, PaginationConfig={"PageSize": 1})
        accounts = [one for page in pages for one in page["accountList"]]
        same([(one["accountId"], one["accountName"]) for one in accounts], [(PROD, "prod"), (STAGING, "staging")])
        roles = portal.list_account_roles(accessToken=token, accountId=STAGING)["roleList"]
        same(roles, [{"roleName": "Admin", "accountId": STAGING}])
        portal.logout(accessToken=token)
        same(refusal(portal.list_accounts, accessToken=token)[:2], ("UnauthorizedException", 401))
        same(refusal(portal.logout, accessToken=token)[0], "UnauthorizedException")


CHECKS = [
    the_device_road_waits_and_ends,
    the_code_road_needs_its_verifier,
    a_refresh_token_is_spent_once,
    credentials_end_in_epoch_milliseconds,
    credentials_come_a_while_after_the_assignment,
    the_portal_lists_what_is_assigned,
]
