"""What the checks share: a stand-in of one's own, the real clients, and saying what was expected."""

import contextlib
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

import botocore.config
import botocore.exceptions
import botocore.session

HERE = pathlib.Path(__file__).parent
MANAGEMENT, DELEGATED, PROD, STAGING = "123456789012", "222222222222", "333333333333", "444444444444"
SEED = {
    "organization": {"delegated_administrator": DELEGATED},
    "accounts": [
        {"id": DELEGATED, "name": "security", "ou": "Core"},
        {"id": PROD, "name": "prod", "ou": "Workloads/Prod", "tags": {"env": "prod"}},
        {"id": STAGING, "name": "staging", "ou": "Workloads", "tags": {"env": "staging"}},
    ],
    "permission_sets": [{"name": "ReadOnly", "session": "PT2H"}, {"name": "Admin", "session": "PT12H"}],
    "users": [
        {"name": "alice", "email": "alice@example.com", "external_id": "00u1"},
        {"name": "bob", "email": "bob@example.com"},
    ],
}


class Stand:
    """A running stand-in and its clients."""

    def __init__(self, url):
        self.url = url

    def client(self, service, key="test", region="us-east-1", **config):
        """A real botocore client."""
        return botocore.session.get_session().create_client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key="test",
            config=botocore.config.Config(proxies={}, retries={"total_max_attempts": 1}, read_timeout=5, **config),
        )

    def seed(self, what):
        """POST /_seed."""
        return self._post("/_seed", what)

    def control(self, **orders):
        """POST /_control."""
        return self._post("/_control", orders)

    def view(self, query=""):
        """GET /_control."""
        with urllib.request.urlopen(f"{self.url}/_control{query}", timeout=10) as answer:
            return json.load(answer)

    def _post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error


@contextlib.contextmanager
def stand_in(seed=None):
    """One of one's own, with the usual people and accounts; ends with the block."""
    program = [sys.executable, str(HERE / "stand_in.py")]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        assert line.startswith("Running on http://127.0.0.1:"), line
        stand = Stand(line.split()[-1])
        stand.made = stand.seed(SEED if seed is None else seed)
        yield stand
        assert process.poll() is None, "the stand-in ended by itself"
    finally:
        process.stdin.close()
        said = process.stderr.read()
        assert process.wait(10) == 0
        assert said == "", said


def refusal(call, *args, **kwargs):
    """(code, HTTP status, message) of a call that must be refused."""
    try:
        call(*args, **kwargs)
    except botocore.exceptions.ClientError as error:
        answer = error.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]
    raise AssertionError("was not refused")


def same(found, expected):
    """Fails with both."""
    assert found == expected, f"\n   found: {found}\nexpected: {expected}"


def assignment(stand, user="alice", account=PROD, role="ReadOnly", **other):
    """The arguments of CreateAccountAssignment and DeleteAccountAssignment."""
    return {
        "InstanceArn": stand.made["instance_arn"],
        "TargetId": account,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": stand.made["permission_sets"][role],
        "PrincipalType": "USER",
        "PrincipalId": stand.made["users"].get(user, user),
        **other,
    }


def finish(stand, kind, request_id, sso):
    """Polls to the end; all statuses seen."""
    seen = []
    while not seen or seen[-1]["Status"] == "IN_PROGRESS":
        instance = stand.made["instance_arn"]
        if kind == "create":
            answer = sso.describe_account_assignment_creation_status(
                InstanceArn=instance, AccountAssignmentCreationRequestId=request_id
            )["AccountAssignmentCreationStatus"]
        else:
            answer = sso.describe_account_assignment_deletion_status(
                InstanceArn=instance, AccountAssignmentDeletionRequestId=request_id
            )["AccountAssignmentDeletionStatus"]
        seen.append(answer)
    return seen


def create(stand, sso, **which):
    """CreateAccountAssignment to its end."""
    begun = sso.create_account_assignment(**assignment(stand, **which))["AccountAssignmentCreationStatus"]
    same(begun["Status"], "IN_PROGRESS")
    return finish(stand, "create", begun["RequestId"], sso)


def delete(stand, sso, **which):
    """DeleteAccountAssignment to its end."""
    begun = sso.delete_account_assignment(**assignment(stand, **which))["AccountAssignmentDeletionStatus"]
    same(begun["Status"], "IN_PROGRESS")
    return finish(stand, "delete", begun["RequestId"], sso)


def listed(stand, sso, account=PROD, role="ReadOnly"):
    """Who is assigned, by ListAccountAssignments."""
    answer = sso.list_account_assignments(
        InstanceArn=stand.made["instance_arn"],
        AccountId=account,
        PermissionSetArn=stand.made["permission_sets"][role],
    )
    return sorted(one["PrincipalId"] for one in answer["AccountAssignments"])
