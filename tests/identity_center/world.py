"""What exists: moto's objects, and what moto has no place for. One lock around all of it.

One organization, whose management account owns the instance; the caller is the account whose number its access key
is, or (any other key) `caller` of the settings.
"""

import threading
from collections import defaultdict

from moto.identitystore.models import IdentityStoreData, identitystore_backends
from moto.organizations.models import organizations_backends
from moto.ssoadmin.models import Instance, PermissionSet, ssoadmin_backends
from moto.moto_api._internal import mock_random

import answers
from faults import Faults
from record import Quota, Record

MANAGEMENT = "123456789012"

SETTINGS = {
    # how long CreateAccountAssignment and DeleteAccountAssignment stay IN_PROGRESS: a time, a number of looks at
    # them, or until {"release": true}
    "create_ms": 0,
    "delete_ms": 0,
    "create_looks": 0,
    "delete_looks": 0,
    "held": False,
    # how long the portal says 403 after an assignment was SUCCEEDED, and 200 after one was taken away
    "propagation_ms": 0,
    "removal_ms": 0,
    # what counts as in conflict with an account operation under way: "same" principal, set and account; "role":
    # same set and account; "off"
    "conflicts": "same",
    # an assignment of somebody who has left the directory: "delete" takes it away, "fail" ends FAILED
    "orphans": "delete",
    # {"per_second": 20, "outstanding": 10}: refuses what goes beyond
    "quota": None,
    # the account that calls where the access key is no account number
    "caller": MANAGEMENT,
    # who sits at the browser: /authorize and /device are answered for this user at once; None: waits for approve
    "browser": None,
    "token_seconds": 28800,
    "refresh_seconds": 90 * 86400,
    "device_seconds": 600,
    "device_interval": 1,
    "client_seconds": 90 * 86400,
    # "asia": keys as AWS makes them; "account": the account's number and "test", which ministack takes for that account
    "portal_keys": "asia",
}


def _permission_set_arn(instance_arn):
    # moto leaves "instance/" in it; in AWS it is permissionSet/, and clients check the pattern
    return instance_arn.replace(":instance/", ":permissionSet/") + "/ps-" + mock_random.get_random_string(16).lower()


PermissionSet.generate_id = staticmethod(_permission_set_arn)


class World:
    """Everything that a request or a test can change."""

    def __init__(self, url):
        self.url = url
        self.lock = threading.RLock()
        self.settings = dict(SETTINGS)
        self.faults = Faults()
        self.record = Record()
        self.quota = Quota()
        self.management = MANAGEMENT
        self.delegated = None
        self.region = None
        self.regions = set()
        self.instance = None
        self.start_url = "https://jit-tests.awsapps.com/start"
        self.external_ids = {}
        self.disabled_users = set()
        # (permission set, account) -> when it came
        self.provisioned = {}
        # assignment key -> when it was SUCCEEDED, or gone
        self.since = {}
        self.gone = {}
        self.assignments_of = defaultdict(list)
        self.found("us-east-1")

    def found(self, region):
        """A new instance, in this region alone; the first is the organization's."""
        backend = ssoadmin_backends[self.management][region]
        if region not in self.regions:
            # moto has one in each region from the start
            backend.instances.clear()
        self.regions.add(region)
        made = Instance(self.management, region)
        # moto draws any letters; AWS has hexadecimal digits, and clients check the pattern
        made.identity_store_id = "d-" + mock_random.get_random_hex(10)
        backend.instances.append(made)
        if self.instance is None:
            self.region, self.instance = region, made
        return made

    def instances_in(self, region):
        """The instances of one region: moto makes one in each, which are not ours."""
        return ssoadmin_backends[self.management][region].instances if region in self.regions else []

    def quota_services(self):
        """The services whose rate is kept."""
        return ("sso-admin", "identitystore") if (self.settings["quota"] or {}).get("per_second") else ()

    @property
    def sso(self):
        """moto's sso-admin of the organization's instance."""
        return ssoadmin_backends[self.management][self.region]

    @property
    def directory(self):
        """moto's identity store of the organization's instance."""
        stores = identitystore_backends[self.management][self.region].identity_stores
        return stores.setdefault(self.instance.identity_store_id, IdentityStoreData())

    @property
    def organization(self):
        """moto's organization."""
        backend = organizations_backends[self.management]["aws"]
        if backend.org is None:
            backend.create_organization("us-east-1", FeatureSet="ALL")
        return backend

    def account(self, number):
        """An account of the organization, if it is one."""
        return next((account for account in self.organization.accounts if account.id == number), None)

    def user(self, name):
        """A user by id or user name, if there is one."""
        users = self.directory.users
        return users.get(name) or next((user for user in users.values() if user.UserName == name), None)

    def groups_of(self, user_id):
        """The groups that a user is in."""
        memberships = self.directory.group_memberships.values()
        return {entry["GroupId"] for entry in memberships if entry["MemberId"]["UserId"] == user_id}

    def permission_set(self, name):
        """A permission set by ARN or name, if there is one."""
        sets = self.sso.permission_sets
        return next((made for made in sets if name in (made.permission_set_arn, made.name)), None)

    def require_permission_set(self, arn):
        """The same, or AWS's refusal."""
        found = self.permission_set(arn)
        if found is None or found.permission_set_arn != arn:
            short = arn.rsplit("/", 1)[-1]
            raise NotFound(f"Could not find PermissionSet with id {short}")
        return found


class NotFound(answers.Refused):
    """ResourceNotFoundException of the admin side."""

    def __init__(self, message):
        super().__init__(answers.admin_error("ResourceNotFoundException", message))
