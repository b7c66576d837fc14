"""Account assignments as AWS makes them: accepted at once, done later, polled to the end.

What is under way is kept here; what exists is moto's list. An assignment appears in lists when its operation ends,
not before. Assigning twice succeeds; deleting one that is not there is accepted and ends FAILED, with the reason that
the AWS provider of terraform looks for.
"""

import time
import uuid

from moto.ssoadmin.models import AccountAssignment

import answers
from world import NotFound

CREATE, DELETE = "create", "delete"


class Operation:
    """One creation or deletion under way, or done."""

    def __init__(self, kind, params, settings, fail_reason):
        self.kind = kind
        self.params = params
        self.key = key_of(params)
        self.request_id = str(uuid.uuid4())
        self.created = time.time()
        self.due = self.created + settings[f"{kind}_ms"] / 1000
        self.looks_left = settings[f"{kind}_looks"]
        self.held = settings["held"]
        self.fail_reason = fail_reason
        self.status = "IN_PROGRESS"
        self.reason = None

    def view(self):
        """AccountAssignmentOperationStatus."""
        named = {
            "Status": self.status,
            "RequestId": self.request_id,
            "TargetId": self.params["TargetId"],
            "TargetType": self.params["TargetType"],
            "PermissionSetArn": self.params["PermissionSetArn"],
            "PrincipalType": self.params["PrincipalType"],
            "PrincipalId": self.params["PrincipalId"],
            "CreatedDate": self.created,
        }
        return named if self.reason is None else {**named, "FailureReason": self.reason}

    def short_view(self):
        """AccountAssignmentOperationStatusMetadata."""
        return {"Status": self.status, "RequestId": self.request_id, "CreatedDate": self.created}


def key_of(params):
    """What one assignment is: set, account, kind of principal, principal."""
    return (params["PermissionSetArn"], params["TargetId"], params["PrincipalType"], params["PrincipalId"])


class Assignments:
    """All operations of this run, oldest first."""

    def __init__(self, world):
        self.world = world
        self.operations = {}
        self.under_way = []

    # --- what the API asks ------------------------------------------------------------------------------------------

    def start(self, kind, params, caller, fail_reason):
        """Accepts an operation, or refuses it as AWS does."""
        world = self.world
        self.settle()
        found = world.require_permission_set(params["PermissionSetArn"])
        self._check_management(found.permission_set_arn, params["TargetId"], caller)
        key = key_of(params)
        if any(self._conflicts(key, other.key) for other in self.under_way):
            message = "There is a conflict with another operation on this account. Please try again later."
            raise answers.Refused(answers.admin_error("ConflictException", message))
        quota = world.settings["quota"] or {}
        creating = sum(1 for other in self.under_way if other.kind == CREATE)
        if kind == CREATE and creating >= quota.get("outstanding", creating + 1):
            raise answers.Refused(answers.throttled(answers.ADMIN))
        operation = Operation(kind, params, world.settings, fail_reason)
        self.operations[operation.request_id] = operation
        self.under_way.append(operation)
        deleting = sum(1 for other in self.under_way if other.kind == DELETE)
        world.record.outstanding(len(self.under_way) - deleting, deleting)
        return operation

    def _conflicts(self, key, other):
        how = self.world.settings["conflicts"]
        return (how == "same" and key == other) or (how == "role" and key[:2] == other[:2])

    def _check_management(self, arn, target, caller):
        """A delegated administrator may not touch the management account, nor a set that is provisioned there."""
        world = self.world
        if caller == world.management:
            return
        if target == world.management or (arn, world.management) in world.provisioned:
            operator = f"arn:aws:sts::{caller}:assumed-role/jit/session"
            message = f"User: {operator} is not authorized to perform: sso:CreateAccountAssignment"
            raise answers.Refused(answers.admin_error("AccessDeniedException", message))

    def describe(self, kind, request_id):
        """Where an operation stands; counts as a look at it."""
        self.settle()
        operation = self.operations.get(request_id)
        if operation is None or operation.kind != kind:
            raise NotFound(f"Could not find request with id {request_id}")
        self._look([operation])
        return operation.view()

    def listed(self, kind, status):
        """Operations of a kind, newest first."""
        self.settle()
        found = [op for op in self.operations.values() if op.kind == kind and status in (None, op.status)]
        self._look(found)
        return [operation.short_view() for operation in reversed(found)]

    def looked_at(self, account=None, principal=None):
        """Somebody lists assignments: those under way there come closer to their end."""
        self.settle()
        near = [op for op in self.under_way if account == op.key[1] or principal == op.key[3]]
        self._look(near)

    @staticmethod
    def _look(operations):
        for operation in operations:
            if operation.status == "IN_PROGRESS" and operation.looks_left > 0:
                operation.looks_left -= 1

    # --- the end of an operation ------------------------------------------------------------------------------------

    def settle(self):
        """Ends what is due."""
        now, left = time.time(), []
        for operation in self.under_way:
            if operation.held or operation.looks_left > 0 or now < operation.due:
                left.append(operation)
            else:
                self._end(operation)
        self.under_way = left

    def release(self):
        """Lets go of what is held."""
        for operation in self.under_way:
            operation.held = False
        self.settle()

    def _end(self, operation):
        reason = operation.fail_reason or self._why_not(operation)
        operation.status = "FAILED" if reason else "SUCCEEDED"
        operation.reason = reason
        if reason is None and operation.kind == CREATE:
            self.put(*operation.key)
        elif reason is None:
            self.take(*operation.key)

    def _why_not(self, operation):
        world = self.world
        arn, account, kind, principal = operation.key
        known = world.directory.users if kind == "USER" else world.directory.groups
        if principal not in known and (operation.kind == CREATE or world.settings["orphans"] == "fail"):
            store = world.instance.identity_store_id
            return f"Received a 404 status error: the {kind} assignee {principal} was not found in directory {store}"
        if operation.kind == DELETE and self.find(*operation.key) is None:
            entitlement = (
                f"EntitlementKey{{accessorId=AccessorId{{value={principal}}}, resourceId=ResourceId{{value={account}}}, "
                f"auxiliaryResourceId=AuxiliaryResourceId{{value={arn}}}}}"
            )
            return f"Received a 404 status error: EntitlementItem doesn't exist with the given entitlement key {entitlement}"
        return None

    # --- what exists ------------------------------------------------------------------------------------------------

    def find(self, arn, account, kind, principal):
        """moto's object of an assignment, if it exists."""
        made = self.world.assignments_of.get((account, principal), [])
        return next((one for one in made if (one.permission_set_arn, one.principal_type) == (arn, kind)), None)

    def put(self, arn, account, kind, principal):
        """Makes an assignment exist; its set is provisioned there with it."""
        world, key = self.world, (arn, account, kind, principal)
        world.provisioned.setdefault((arn, account), time.time())
        if self.find(*key) is None:
            instance = world.instance.instance_arn
            made = AccountAssignment(instance, account, "AWS_ACCOUNT", arn, kind, principal)
            world.sso.account_assignments.append(made)
            world.assignments_of[(account, principal)].append(made)
            world.since[key] = time.time()
            world.gone.pop(key, None)

    def take(self, arn, account, kind, principal):
        """Makes one not exist; the last of a set in an account takes its role there with it."""
        world, key = self.world, (arn, account, kind, principal)
        made = self.find(*key)
        if made is None:
            return
        world.sso.account_assignments.remove(made)
        world.assignments_of[(account, principal)].remove(made)
        world.since.pop(key, None)
        world.gone[key] = time.time()
        others = world.sso.account_assignments
        if not any((one.permission_set_arn, one.target_id) == (arn, account) for one in others):
            world.provisioned.pop((arn, account), None)

    def existing(self):
        """What exists, by names, for `GET /_control`."""
        world = self.world
        sets = {made.permission_set_arn: made.name for made in world.sso.permission_sets}
        users = {user.UserId: user.UserName for user in world.directory.users.values()}
        groups = {group.GroupId: group.DisplayName for group in world.directory.groups.values()}
        return [
            {
                "account": made.target_id,
                "permission_set": sets.get(made.permission_set_arn),
                "permission_set_arn": made.permission_set_arn,
                "principal_type": made.principal_type,
                "principal_id": made.principal_id,
                "principal": (users if made.principal_type == "USER" else groups).get(made.principal_id),
            }
            for made in world.sso.account_assignments
        ]
