"""The real aws CLI, both versions: signs in, writes its token cache, fetches credentials, refreshes.

Version 2 (/usr/bin/aws) knows no endpoint for `sso login` but AWS's own in its older releases: its rules for endpoints
are replaced by AWS_DATA_PATH, the program stays as it is. Version 1 (the venv) reads what version 2 wrote.
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from check_tools import PROD, same, stand_in

VERSION_2 = "/usr/bin/aws"
VERSION_1 = str(pathlib.Path(sys.executable).parent / "aws")
ON_PROD = {"permission_set": "ReadOnly", "account": PROD, "user": "alice"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Machine:
    """A HOME with an AWS configuration, and endpoints that are the stand-in's."""

    def __init__(self, stand, home):
        self.stand, self.home = stand, pathlib.Path(home)
        start, role = stand.made["start_url"], f"sso_account_id = {PROD}\nsso_role_name = ReadOnly\n"
        (self.home / ".aws").mkdir()
        (self.home / ".aws/config").write_text(
            f"[sso-session corp]\nsso_start_url = {start}\nsso_region = us-east-1\n"
            "sso_registration_scopes = sso:account:access\n"
            f"[profile new]\nsso_session = corp\nregion = us-east-1\n{role}"
            f"[profile old]\nsso_start_url = {start}\nsso_region = us-east-1\nregion = us-east-1\n{role}"
        )
        rule = {"conditions": [], "endpoint": {"url": stand.url, "properties": {}, "headers": {}}, "type": "endpoint"}
        parameters = {
            "Region": {"builtIn": "AWS::Region", "required": False, "documentation": "", "type": "String"},
            "UseDualStack": {
                "builtIn": "AWS::UseDualStack", "required": True, "default": False, "documentation": "", "type": "Boolean",
            },
            "UseFIPS": {
                "builtIn": "AWS::UseFIPS", "required": True, "default": False, "documentation": "", "type": "Boolean",
            },
            "Endpoint": {"builtIn": "SDK::Endpoint", "required": False, "documentation": "", "type": "String"},
        }
        for service in ("sso", "sso-oidc", "sts"):
            version = {"sts": "2011-06-15"}.get(service, "2019-06-10")
            folder = self.home / "endpoints" / service / version
            folder.mkdir(parents=True)
            rules = {"version": "1.0", "parameters": parameters, "rules": [rule]}
            (folder / "endpoint-rule-set-1.json").write_text(json.dumps(rules))
        self.env = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "AWS_DATA_PATH": str(self.home / "endpoints"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
            "NO_PROXY": "127.0.0.1",
        }

    def aws(self, program, *args):
        """Runs a CLI to its end."""
        return subprocess.run([program, *args], env=self.env, capture_output=True, text=True, timeout=60)

    def _asked_in_vain(self):
        """How often a token was asked for before anybody had approved."""
        outcomes = self.stand.view("?calls=0")["outcomes"].get("CreateToken", {})
        return outcomes.get("AuthorizationPendingException", 0)

    def login(self, profile):
        """`aws sso login --no-browser` of version 2, approved by alice once it says its code."""
        program = [VERSION_2, "sso", "login", "--no-browser", "--profile", profile]
        before = self._asked_in_vain()
        waits = subprocess.Popen(program, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        deadline = time.time() + 60
        # it asks for the token once before it says the code: approved by then, it would never say it
        while self._asked_in_vain() == before:
            assert waits.poll() is None and time.time() < deadline, waits.communicate()[0]
            time.sleep(0.05)
        codes = self.stand.view("?calls=0")["device_codes"]
        self.stand.control(approve={"user": "alice", "user_code": codes[0]})
        said = waits.communicate(timeout=60)[0]
        assert waits.returncode == 0 and codes[0] in said and "Successfully logged into Start URL" in said, said

    def cached(self, name):
        """(the token's file, its parsed contents)."""
        path = self.home / ".aws/sso/cache" / (hashlib.sha1(name.encode()).hexdigest() + ".json")
        return path, json.loads(path.read_text())


def machine_on(stand):
    """A temporary HOME and its machine."""
    home = tempfile.TemporaryDirectory()
    return home, Machine(stand, home.name)


def version_2_signs_in_and_writes_its_cache():
    """The name of the file, its fields, its times, its mode; for an sso-session and for the old start URL."""
    if not os.path.exists(VERSION_2):
        return "left out (no /usr/bin/aws):"
    with stand_in() as stand:
        home, machine = machine_on(stand)
        with home:
            machine.login("new")
            path, token = machine.cached("corp")
            same(path.stat().st_mode & 0o777, 0o600)
            fields = ["accessToken", "clientId", "clientSecret", "expiresAt", "refreshToken", "region"]
            same(sorted(token), [*fields, "registrationExpiresAt", "startUrl"])
            same((token["startUrl"], token["region"]), (stand.made["start_url"], "us-east-1"))
            assert TIME.fullmatch(token["expiresAt"]) and TIME.fullmatch(token["registrationExpiresAt"]), token
            others = [one for one in path.parent.iterdir() if one != path]
            same([sorted(json.loads(one.read_text())) for one in others], [["clientId", "clientSecret", "expiresAt", "scopes"]])
            machine.login("old")
            _, token = machine.cached(stand.made["start_url"])
            assert "refreshToken" not in token, token
            same(json.loads(others[0].read_text())["scopes"], ["sso:account:access"])
            given = stand.view("?calls=0")["clients"]
            same([one.get("scopes") for one in given], [["sso:account:access"], None])
            assert given[0]["clientName"] == "botocore-client-corp", given


def both_versions_fetch_credentials_from_the_cache():
    """By `sso get-role-credentials` with the token, and by a profile (export, and a signed call to STS)."""
    if not os.path.exists(VERSION_2):
        return "left out (no /usr/bin/aws):"
    with stand_in() as stand:
        home, machine = machine_on(stand)
        with home:
            machine.login("new")
            token = machine.cached("corp")[1]["accessToken"]
            ask = ["sso", "get-role-credentials", "--role-name", "ReadOnly", "--account-id", PROD]
            ask += ["--access-token", token, "--region", "us-east-1", "--output", "json"]
            for program in (VERSION_1, VERSION_2):
                refused = machine.aws(program, *ask, "--no-sign-request")
                assert "(ForbiddenException)" in refused.stderr and "No access" in refused.stderr, refused
            stand.control(assign=[ON_PROD])
            for program in (VERSION_1, VERSION_2):
                run = machine.aws(program, *ask, "--no-sign-request")
                assert run.returncode == 0, run
                assert json.loads(run.stdout)["roleCredentials"]["expiration"] > time.time() * 1000, run.stdout
                run = machine.aws(program, "sts", "get-caller-identity", "--profile", "new", "--output", "json")
                assert run.returncode == 0 and json.loads(run.stdout)["Account"], run
            exported = machine.aws(VERSION_2, "configure", "export-credentials", "--profile", "new")
            assert json.loads(exported.stdout)["AccessKeyId"].startswith("ASIA"), exported
            same(len({one["access_key_id"] for one in stand.view("?calls=0")["sessions"]}) >= 4, True)


def a_token_near_its_end_is_refreshed_by_both():
    """Under 15 minutes: refreshed and written back; ended and not to be refreshed: says so."""
    if not os.path.exists(VERSION_2):
        return "left out (no /usr/bin/aws):"
    with stand_in() as stand:
        stand.control(assign=[ON_PROD])
        home, machine = machine_on(stand)
        with home:
            for program in (VERSION_1, VERSION_2):
                stand.control(settings={"token_seconds": 600})
                machine.login("new")
                before = machine.cached("corp")[1]
                stand.control(settings={"token_seconds": 28800})
                run = machine.aws(program, "sts", "get-caller-identity", "--profile", "new")
                assert run.returncode == 0, run
                after = machine.cached("corp")[1]
                same(sorted(after), sorted(before))
                assert after["accessToken"] != before["accessToken"], program
                assert after["refreshToken"] != before["refreshToken"], program
                assert TIME.fullmatch(after["expiresAt"]) and TIME.fullmatch(after["registrationExpiresAt"]), after
            stand.control(end_sessions=True)
            # credentials that version 2 keeps in ~/.aws/cli/cache would hide it
            for kept in (machine.home / ".aws/cli/cache").glob("*.json"):
                kept.unlink()
            for program in (VERSION_1, VERSION_2):
                run = machine.aws(program, "sts", "get-caller-identity", "--profile", "new")
                assert run.returncode != 0 and "expired or is otherwise invalid" in run.stderr, run


def version_2_signs_out():
    """Tells the portal, removes the token, keeps the registration."""
    if not os.path.exists(VERSION_2):
        return "left out (no /usr/bin/aws):"
    with stand_in() as stand:
        home, machine = machine_on(stand)
        with home:
            machine.login("new")
            path, _ = machine.cached("corp")
            run = machine.aws(VERSION_2, "sso", "logout")
            assert run.returncode == 0, run
            same(stand.view()["counts"].get("Logout"), 1)
            same(path.exists(), False)
            same(len(list(path.parent.iterdir())), 1)


CHECKS = [
    version_2_signs_in_and_writes_its_cache,
    both_versions_fetch_credentials_from_the_cache,
    a_token_near_its_end_is_refreshed_by_both,
    version_2_signs_out,
]
