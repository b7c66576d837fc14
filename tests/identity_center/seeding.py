"""What a test wants to exist before it begins, put into moto's objects without HTTP: 5,000 accounts in a moment.

`POST /_seed` takes any of organization, instances, accounts, permission_sets, users, groups, assignments, policies,
in that order, and answers the ids of what was made. It may be called again to add more.
"""

import datetime
import json

from moto.identitystore.models import Group, Name, User
from moto.moto_api._internal import mock_random
from moto.organizations.models import FakeAccount, FakeOrganizationalUnit, FakePolicy
from moto.ssoadmin.models import PermissionSet

EXTERNAL_ISSUER = "https://scim.aws.com/jit-tests"
# accounts joined one second apart: moto takes the time as the mark where a page begins
FIRST_JOINED = datetime.datetime(2020, 1, 1)


def seed(world, assignments, wanted):
    """Makes everything in `wanted`; answers ids."""
    known = {
        "organization": _organization, "instances": _instances, "accounts": _accounts,
        "permission_sets": _permission_sets, "users": _users, "groups": _groups, "policies": _policies,
    }
    unknown = set(wanted) - set(known) - {"assignments"}
    if unknown:
        raise ValueError(f"cannot seed {sorted(unknown)}; can: {sorted(known)}, assignments")
    made = {name: make(world, wanted[name]) for name, make in known.items() if name in wanted}
    for one in wanted.get("assignments", []):
        assignments.put(*key(world, one))
    return {
        **made,
        "region": world.region,
        "instance_arn": world.instance.instance_arn,
        "identity_store_id": world.instance.identity_store_id,
        "management": world.management,
        "start_url": world.start_url,
        "root": world.organization.org.root_id,
    }


def key(world, one):
    """`{"permission_set", "account", "user" or "group"}` (names or ids) as an assignment's key."""
    found = world.permission_set(one["permission_set"])
    if found is None:
        raise ValueError(f"no permission set {one['permission_set']}")
    if "group" in one:
        groups = world.directory.groups
        principal = next((id_ for id_, group in groups.items() if group.DisplayName == one["group"]), one["group"])
        return (found.permission_set_arn, one["account"], "GROUP", principal)
    user = world.user(one["user"])
    return (found.permission_set_arn, one["account"], "USER", user.UserId if user else one["user"])


def _organization(world, wanted):
    """{"management": number, "region", "delegated_administrator": number, "start_url"}; the first two before all else."""
    if "management" in wanted or "region" in wanted:
        world.management = wanted.get("management", world.management)
        world.settings["caller"] = world.management
        world.instance = None
        world.regions.clear()
        world.found(wanted.get("region", "us-east-1"))
    world.delegated = wanted.get("delegated_administrator", world.delegated)
    world.start_url = wanted.get("start_url", world.start_url)
    return {"id": world.organization.org.id}


def _instances(world, wanted):
    """More instances: [{"region"}]; ListInstances shows them in their region."""
    return [world.found(one["region"]).to_json()["InstanceArn"] for one in wanted]


def _accounts(world, wanted):
    """[{"id", "name", "email", "ou": "Workloads/Prod", "tags", "status"}], or {"count": 5000, "name", ...} for many.

    One that exists already is changed in what is given: so accounts are moved and tagged anew.
    """
    organization = world.organization
    taken = {account.id: account for account in organization.accounts}
    made = {}
    for one in wanted:
        unit = _unit(world, one.get("ou"))
        for number in range(one["count"]) if "count" in one else [None]:
            name = one.get("name", "account") + ("" if number is None else f"-{number + 1}")
            account_id = one.get("id") or f"{300000000000 + len(organization.accounts):012d}"
            if account_id not in taken:
                taken[account_id] = _new_account(organization, account_id, name)
            account = taken[account_id]
            account.parent_id = unit if "ou" in one else account.parent_id
            account.name = name if "name" in one else account.name
            account.email = one.get("email", account.email)
            account.status = account.state = one.get("status", account.status)
            account.tags = dict(one.get("tags", account.tags))
            made[account.name] = account_id
    return made


def _new_account(organization, account_id, name):
    # moto's constructor makes a role in an IAM of the account's own; nobody here asks for it, and 5,000 take a while
    account = FakeAccount.__new__(FakeAccount)
    org = organization.org
    account.type = "ACCOUNT"
    account.region = org.region
    account.organization_id = org.id
    account.master_account_id = org.master_account_id
    account.create_account_status_id = f"car-{account_id[-8:]}"
    account.id = account_id
    account.name, account.email = name, f"{name.lower()}@accounts.example.com"
    account.parent_id, account.tags = org.root_id, {}
    account.status = account.state = "ACTIVE"
    account.create_time = FIRST_JOINED + datetime.timedelta(seconds=len(organization.accounts))
    account.joined_method = "CREATED"
    account.attached_policies = []
    organization.accounts.append(account)
    return account


def _unit(world, path):
    """The organizational unit at `path` below the root, made where it is missing."""
    organization = world.organization
    parent = organization.org.root_id
    for name in path.split("/") if path else []:
        found = next((unit for unit in organization.ou if (unit.parent_id, unit.name) == (parent, name)), None)
        if found is None:
            found = FakeOrganizationalUnit(organization.org, Name=name, ParentId=parent)
            organization.ou.append(found)
        parent = found.id
    return parent


def units(world):
    """Path -> id of all organizational units."""
    by_id = {unit.id: unit for unit in world.organization.ou}
    root = world.organization.org.root_id

    def path(unit):
        above = by_id.get(unit.parent_id)
        return unit.name if above is None or above.id == root else f"{path(above)}/{unit.name}"

    return {path(unit): unit.id for unit in by_id.values() if unit.id != root}


def _permission_sets(world, wanted):
    """[{"name", "session": "PT1H", "description", "tags", "provisioned": [accounts]}] -> name -> ARN."""
    made = {}
    for one in wanted:
        tags = [{"Key": name, "Value": value} for name, value in one.get("tags", {}).items()]
        found = PermissionSet(
            one["name"], one.get("description"), world.instance.instance_arn, one.get("session", "PT1H"), None, tags
        )
        world.sso.permission_sets.append(found)
        made[one["name"]] = found.permission_set_arn
        for account in one.get("provisioned", []):
            world.provisioned[(found.permission_set_arn, account)] = 0
    return made


def _users(world, wanted):
    """[{"name", "email", "external_id", "enabled", "id"}], or {"count", "name"} for many -> user name -> id."""
    store, made = world.directory, {}
    for one in wanted:
        for number in range(one["count"]) if "count" in one else [None]:
            name = one["name"] + ("" if number is None else f"-{number + 1}")
            user_id = one.get("id", str(mock_random.uuid4()))
            email = one.get("email", f"{name}@example.com")
            emails = [{"Value": email, "Type": "work", "Primary": True}] if email else []
            person = Name(None, "Example", name.capitalize(), None, None, None)
            shown = (user_id, world.instance.identity_store_id, name, person, name, None, None, emails)
            # addresses, phone numbers and five more that nobody here asks for
            user = User(*shown, *[None] * 7)
            store.users[user_id] = user
            if one.get("external_id"):
                world.external_ids[user_id] = {"Issuer": EXTERNAL_ISSUER, "Id": one["external_id"]}
            if not one.get("enabled", True):
                world.disabled_users.add(user_id)
            made[name] = user_id
    return made


def _groups(world, wanted):
    """[{"name", "members": [user names]}] -> name -> id."""
    store, made = world.directory, {}
    for one in wanted:
        group_id = str(mock_random.uuid4())
        instance_store = world.instance.identity_store_id
        store.groups[group_id] = Group(group_id, one["name"], [], "", instance_store)
        for member in one.get("members", []):
            membership = str(mock_random.uuid4())
            store.group_memberships[membership] = {
                "IdentityStoreId": instance_store,
                "MembershipId": membership,
                "GroupId": group_id,
                "MemberId": {"UserId": world.user(member).UserId},
            }
        made[one["name"]] = group_id
    return made


def _policies(world, wanted):
    """Service control policies: [{"name", "content": {...}, "targets": [ids, or paths of units]}] -> name -> id."""
    organization, made = world.organization, {}
    for one in wanted:
        content = one["content"] if isinstance(one["content"], str) else json.dumps(one["content"])
        policy = FakePolicy(
            organization.org, Name=one["name"], Description=one.get("description", ""), Content=content,
            Type="SERVICE_CONTROL_POLICY",
        )
        organization.policies.append(policy)
        for target in one.get("targets", []):
            organization.attach_policy(PolicyId=policy.id, TargetId=units(world).get(target, target))
        made[one["name"]] = policy.id
    return made
