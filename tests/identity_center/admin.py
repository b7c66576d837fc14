"""The admin side: sso-admin, identitystore, organizations and sts.

moto answers whatever it answers rightly. Ours are the asynchronous operations, what depends on the caller and the
region, and what moto leaves out or gets wrong (named at each function).
"""

import json

from moto.core.exceptions import ServiceException
from moto.core.request import Request
from moto.identitystore.responses import IdentityStoreResponse
from moto.organizations.responses import OrganizationsResponse
from moto.ssoadmin.responses import SSOAdminResponse
from moto.sts.responses import TokenResponse

import answers
import directory
import signed
from assignments import CREATE, DELETE, key_of
from world import NotFound

PREFIXES = {
    "SWBExternalService": ("sso-admin", SSOAdminResponse),
    "AWSIdentityStore": ("identitystore", IdentityStoreResponse),
    "AWSOrganizationsV20161128": ("organizations", OrganizationsResponse),
}
OPERATIONS = {}


def ours(service, *names):
    """Registers what answers before moto is asked; None lets moto answer."""

    def register(function):
        for name in names:
            OPERATIONS[(service, name)] = function
        return function

    return register


class Call:
    """One request of the admin side."""

    def __init__(self, world, assignments, operation, params, account, plan):
        self.world, self.assignments, self.operation = world, assignments, operation
        self.params, self.account, self.plan = params, account, plan


def service_of(target):
    """(service, operation) of an X-Amz-Target."""
    prefix, _, operation = target.partition(".")
    return PREFIXES.get(prefix, ("unknown", None))[0], operation


def answer(world, assignments, method, url, headers, body, plan):
    """The whole work of one signed JSON request."""
    prefix, _, operation = headers["X-Amz-Target"].partition(".")
    if prefix not in PREFIXES:
        return answers.admin_error("UnknownOperationException", f"no service called {prefix} here")
    service, moto = PREFIXES[prefix]
    caller = signed.caller_of(method, url, headers, body)
    account = caller.key if caller.key.isdigit() else world.settings["caller"]
    if service in world.quota_services():
        if not world.quota.takes(service, world.settings["quota"]["per_second"]):
            return answers.throttled(answers.ADMIN)
    if account not in (world.management, world.delegated):
        who = f"arn:aws:sts::{account}:assumed-role/jit/session"
        action = {"sso-admin": "sso"}.get(service, service)
        message = f"User: {who} is not authorized to perform: {action}:{operation}"
        return answers.admin_error("AccessDeniedException", message)
    params = json.loads(body or b"{}")
    elsewhere = service != "organizations" and caller.region != world.region
    if elsewhere and (service, operation) != ("sso-admin", "ListInstances"):
        raise NotFound("The instance is not in this Region")
    call = Call(world, assignments, operation, params, account, plan)
    call.region = caller.region
    try:
        given = OPERATIONS.get((service, operation), lambda _: None)(call)
    except ServiceException as refused:  # moto's own, from what we asked its objects
        return answers.admin_error(refused.code, refused.message)
    if given is not None:
        return answers.admin(given)
    return _moto(moto, world, url, headers, json.dumps(call.params).encode())


def _moto(responses, world, url, headers, body):
    wanted = ("X-Amz-Target", "Content-Type", "Authorization")
    named = {name: headers[name] for name in wanted if headers.get(name)}
    request = Request.from_primitives("POST", url, {**named, "x-moto-account-id": world.management}, body)
    try:
        status, sent, text = responses.dispatch(request)
    except NotImplementedError as error:
        return answers.admin_error("UnknownOperationException", str(error))
    except Exception as error:  # moto's identitystore raises its refusals past its own dispatcher
        if not hasattr(error, "description"):
            raise
        status, sent, text = getattr(error, "code", 400), {}, error.description
    text = text if isinstance(text, str) else text.decode()
    value = _without_nulls(json.loads(text or "{}"))
    return answers.admin(value, status, _outcome(status, str(value.get("__type", "Error"))))


def _outcome(status, code):
    return "ok" if status < 300 else code


def _without_nulls(value):
    """moto says null where AWS says nothing."""
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value


def sts(world, url, headers, body):
    """sts of moto, for the account that calls."""
    caller = signed.caller_of("POST", url, headers, body)
    account = caller.key if caller.key.isdigit() else world.settings["caller"]
    wanted = {name: headers[name] for name in ("Content-Type", "Authorization") if headers.get(name)}
    request = Request.from_primitives("POST", url, {**wanted, "x-moto-account-id": account}, body)
    status, _, text = TokenResponse.dispatch(request)
    text = text if isinstance(text, bytes) else text.encode()
    return answers.Answer(status, text, {"Content-Type": "text/xml"}, _outcome(status, "Error"))


# --- sso-admin --------------------------------------------------------------------------------------------------------


@ours("sso-admin", "ListInstances")
def list_instances(call):
    """Only those of the caller's region: moto has one in each."""
    world = call.world
    backend = world.instances_in(call.region)
    return {"Instances": [_instance(world, made) for made in backend]}


@ours("sso-admin", "DescribeInstance")
def describe_instance(call):
    """moto does not have it."""
    world = call.world
    return _instance(world, _require_instance(call))


def _instance(world, made):
    view = {name: value for name, value in made.to_json().items() if value is not None}
    store = f"arn:aws:identitystore::{world.management}:identitystore/{made.identity_store_id}"
    return {**view, "IdentityStoreArn": store}


def _require_instance(call):
    wanted = call.params.get("InstanceArn")
    found = next((one for one in call.world.instances_in(call.region) if one.instance_arn == wanted), None)
    if found is None:
        raise NotFound(f"Could not find Instance with arn {wanted}")
    return found


@ours("sso-admin", "CreateAccountAssignment", "DeleteAccountAssignment")
def change_assignment(call):
    """Asynchronous: moto has done it before it answers. An account that does not exist is accepted in silence."""
    _require_instance(call)
    kind = CREATE if call.operation.startswith("Create") else DELETE
    operation = call.assignments.start(kind, call.params, call.account, call.plan.fail_reason)
    name = "AccountAssignmentCreationStatus" if kind == CREATE else "AccountAssignmentDeletionStatus"
    return {name: operation.view()}


@ours("sso-admin", "DescribeAccountAssignmentCreationStatus")
def describe_creation(call):
    """Where a creation stands."""
    wanted = call.params["AccountAssignmentCreationRequestId"]
    return {"AccountAssignmentCreationStatus": call.assignments.describe(CREATE, wanted)}


@ours("sso-admin", "DescribeAccountAssignmentDeletionStatus")
def describe_deletion(call):
    """Where a deletion stands."""
    wanted = call.params["AccountAssignmentDeletionRequestId"]
    return {"AccountAssignmentDeletionStatus": call.assignments.describe(DELETE, wanted)}


@ours("sso-admin", "ListAccountAssignmentCreationStatus", "ListAccountAssignmentDeletionStatus")
def list_statuses(call):
    """moto does not have it."""
    kind = CREATE if "Creation" in call.operation else DELETE
    listed = call.assignments.listed(kind, (call.params.get("Filter") or {}).get("Status"))
    name = "AccountAssignmentsCreationStatus" if kind == CREATE else "AccountAssignmentsDeletionStatus"
    return directory.paged(name, listed, call.params, 100)


@ours("sso-admin", "ListAccountAssignments")
def list_assignments(call):
    """moto lists; what is due ends first, and an unknown set is refused (moto: an empty list)."""
    _require_instance(call)
    call.world.require_permission_set(call.params["PermissionSetArn"])
    call.assignments.looked_at(account=call.params["AccountId"])


@ours("sso-admin", "ListAccountAssignmentsForPrincipal")
def list_for_principal(call):
    """Those of a user's groups as well, which moto leaves out."""
    _require_instance(call)
    world, wanted = call.world, call.params["PrincipalId"]
    call.assignments.looked_at(principal=wanted)
    account = (call.params.get("Filter") or {}).get("AccountId")
    principals = {("USER", wanted), *(("GROUP", group) for group in world.groups_of(wanted))}
    if call.params["PrincipalType"] == "GROUP":
        principals = {("GROUP", wanted)}
    made = [
        {
            "AccountId": one.target_id,
            "PermissionSetArn": one.permission_set_arn,
            "PrincipalId": one.principal_id,
            "PrincipalType": one.principal_type,
        }
        for one in world.sso.account_assignments
        if (one.principal_type, one.principal_id) in principals and account in (None, one.target_id)
    ]
    return directory.paged("AccountAssignments", made, call.params, 100)


@ours("sso-admin", "ListPermissionSetsProvisionedToAccount")
def list_provisioned(call):
    """moto answers for its own account only."""
    call.assignments.settle()
    sets = [arn for arn, account in call.world.provisioned if account == call.params["AccountId"]]
    return directory.paged("PermissionSets", sets, call.params, 100)


@ours("sso-admin", "ListAccountsForProvisionedPermissionSet")
def list_accounts_of_set(call):
    """The same, from the set's side."""
    call.assignments.settle()
    wanted = call.world.require_permission_set(call.params["PermissionSetArn"]).permission_set_arn
    accounts = [account for arn, account in call.world.provisioned if arn == wanted]
    return directory.paged("AccountIds", accounts, call.params, 100)


# --- identitystore and organizations ----------------------------------------------------------------------------------


@ours("identitystore", "GetUserId")
def get_user_id(call):
    """With ExternalId, which moto leaves out."""
    return directory.get_user_id(call.world, call.params)


@ours("identitystore", "ListUsers")
def list_users(call):
    """With ExternalIds; only the filter on UserName exists (moto ignores any other)."""
    return directory.list_users(call.world, call.params)


@ours("identitystore", "DescribeUser")
def describe_user(call):
    """With ExternalIds, which moto leaves out."""
    return directory.describe_user(call.world, call.params)


@ours("organizations", "ListAccounts", "ListAccountsForParent")
def list_accounts(call):
    """At most 20 a page, as AWS; moto describes all 5,000 for each page."""
    organization, parent = call.world.organization, call.params.get("ParentId")
    if parent:
        organization.validate_parent_id(parent)
    listed = [one for one in organization.accounts if parent in (None, one.parent_id)]
    page = directory.paged("Accounts", listed, call.params, 20)
    return {**page, "Accounts": [one.describe() for one in page["Accounts"]]}


@ours("organizations", "ListOrganizationalUnitsForParent")
def small_pages(call):
    """At most 20 a page, as AWS; moto gives as many as it is asked for."""
    call.params["MaxResults"] = min(20, call.params.get("MaxResults", 20))


@ours("organizations", "ListChildren")
def list_children(call):
    """moto answers everything on one page."""
    found = call.world.organization.list_children(**call.params)["Children"]
    return directory.paged("Children", found, call.params, 20)


@ours("organizations", "DeleteOrganizationalUnit")
def delete_unit(call):
    """An organizational unit with something in it cannot go; moto lets it."""
    unit, world = call.params["OrganizationalUnitId"], call.world
    if any(one.parent_id == unit for one in [*world.organization.accounts, *world.organization.ou]):
        message = "The specified organizational unit (OU) is not empty."
        raise answers.Refused(answers.admin_error("OrganizationalUnitNotEmptyException", message))


def detail_of(params):
    """What the record of calls says of a request beside its name."""
    if "TargetId" in params and "PrincipalId" in params:
        arn, account, kind, principal = key_of(params)
        return {"account": account, "permission_set_arn": arn, "principal_type": kind, "principal_id": principal}
    return {"account": params["AccountId"]} if "AccountId" in params else {}
