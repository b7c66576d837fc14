"""The access portal, which no stand-in of others has: this one is ours.

Its shapes come from botocore's service model (and, for 401 and 403, from answers that people published), and are
checked by letting botocore and the aws CLI fetch credentials with it. Requests are not signed; the token travels in
`x-amz-sso_bearer_token`.
"""

import re
import secrets
import time

import answers
import directory

DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def seconds_of(duration):
    """An ISO 8601 duration as permission sets have it: PT1H, PT12H, P1D, PT3600S."""
    match = DURATION.fullmatch(duration or "PT1H")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


class Portal:
    """What somebody who is signed in sees and may fetch."""

    def __init__(self, world, assignments, oidc):
        self.world, self.assignments, self.oidc = world, assignments, oidc
        self.sessions = []

    def _user(self, token):
        user = self.world.user(self.oidc.user_of(token) or "")
        if user is None or user.UserId in self.world.disabled_users:
            message = "Session token not found or invalid"
            raise answers.Refused(answers.portal_error("UnauthorizedException", message, 401))
        return user

    def _roles(self, user):
        """(account, permission set) that work now: assigned long enough ago, or gone only just now."""
        world, now = self.world, time.time()
        self.assignments.settle()
        settled = now - world.settings["propagation_ms"] / 1000
        lingers = now - world.settings["removal_ms"] / 1000
        keys = [key for key, since in world.since.items() if since <= settled]
        keys += [key for key, gone in world.gone.items() if gone > lingers]
        principals = {("USER", user.UserId), *(("GROUP", group) for group in world.groups_of(user.UserId))}
        return {(account, arn) for arn, account, kind, principal in keys if (kind, principal) in principals}

    def credentials(self, token, query):
        """GetRoleCredentials: the expiry is in epoch milliseconds."""
        account, role = query.get("account_id"), query.get("role_name")
        if not account or not role:
            raise answers.Refused(answers.portal_error("InvalidRequestException", "Invalid request", 400))
        user, found = self._user(token), self.world.permission_set(role)
        if found is None or (account, found.permission_set_arn) not in self._roles(user):
            raise answers.Refused(answers.portal_error("ForbiddenException", "No access", 403))
        expires = int((time.time() + seconds_of(found.session_duration)) * 1000)
        key, secret = "ASIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)
        if self.world.settings["portal_keys"] == "account":
            key, secret = account, "test"
        session = {"user": user.UserName, "account": account, "role": role, "access_key_id": key, "expires_ms": expires}
        self.sessions.append(session)
        return {
            "roleCredentials": {
                "accessKeyId": key,
                "secretAccessKey": secret,
                "sessionToken": "IQoJb3JpZ2lu" + secrets.token_urlsafe(60),
                "expiration": expires,
            }
        }

    def accounts(self, token, query):
        """ListAccounts."""
        user = self._user(token)
        numbers = sorted({account for account, _ in self._roles(user)})
        known = [account for account in map(self.world.account, numbers) if account]
        listed = [{"accountId": one.id, "accountName": one.name, "emailAddress": one.email} for one in known]
        return self._paged("accountList", listed, query)

    def roles(self, token, query):
        """ListAccountRoles."""
        user, account = self._user(token), query.get("account_id")
        names = {made.permission_set_arn: made.name for made in self.world.sso.permission_sets}
        held = sorted(names[arn] for where, arn in self._roles(user) if where == account)
        if not held:
            raise answers.Refused(answers.portal_error("ForbiddenException", "No access", 403))
        return self._paged("roleList", [{"roleName": name, "accountId": account} for name in held], query)

    @staticmethod
    def _paged(name, items, query):
        params = {"NextToken": query.get("next_token"), "MaxResults": int(query.get("max_result", 0)) or None}
        page = directory.paged(name, items, params, 100)
        token = page.pop("NextToken", None)
        return {**page, **({"nextToken": token} if token else {})}

    def logout(self, token):
        """Logout: the token is worth nothing from here on."""
        self._user(token)
        self.oidc.access_tokens.pop(token)
