"""The real botocore clients of the admin side talk to each operation and parse what comes."""

import json
import time

import botocore.session

from check_tools import (
    DELEGATED, MANAGEMENT, PROD, STAGING, assignment, create, delete, finish, listed, refusal, same, stand_in,
)


def instances_are_seen_in_their_region_only():
    """An instance of another region."""
    with stand_in() as stand:
        here = stand.client("sso-admin").list_instances()["Instances"]
        same([one["InstanceArn"] for one in here], [stand.made["instance_arn"]])
        same((here[0]["OwnerAccountId"], here[0]["Status"]), (MANAGEMENT, "ACTIVE"))
        described = stand.client("sso-admin").describe_instance(InstanceArn=stand.made["instance_arn"])
        same(described["IdentityStoreId"], stand.made["identity_store_id"])
        away = stand.client("sso-admin", region="eu-west-1")
        same(away.list_instances()["Instances"], [])
        code = refusal(away.list_permission_sets, InstanceArn=stand.made["instance_arn"])[0]
        same(code, "ResourceNotFoundException")
        stand.seed({"instances": [{"region": "eu-west-1"}]})
        same(len(away.list_instances()["Instances"]), 1)


def permission_sets_have_the_arns_of_aws():
    """By list, by description; one that does not exist is refused."""
    with stand_in() as stand:
        sso, instance = stand.client("sso-admin"), stand.made["instance_arn"]
        arns = sso.list_permission_sets(InstanceArn=instance)["PermissionSets"]
        same(sorted(arns), sorted(stand.made["permission_sets"].values()))
        assert all(":::permissionSet/ssoins-" in arn for arn in arns), arns
        found = sso.describe_permission_set(InstanceArn=instance, PermissionSetArn=arns[0])["PermissionSet"]
        same((found["Name"], found["SessionDuration"]), ("ReadOnly", "PT2H"))
        missing = {"InstanceArn": instance, "PermissionSetArn": arns[0][:-3] + "xxx"}
        same(refusal(sso.describe_permission_set, **missing)[0], "ResourceNotFoundException")
        wanted = {**assignment(stand), **missing}
        same(refusal(sso.create_account_assignment, **wanted)[:2], ("ResourceNotFoundException", 400))


def an_assignment_appears_when_its_operation_ends():
    """IN_PROGRESS for three looks, then SUCCEEDED; the set is provisioned with it and goes with the last."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        stand.control(settings={"create_looks": 3, "delete_looks": 1})
        begun = sso.create_account_assignment(**assignment(stand))["AccountAssignmentCreationStatus"]
        same(stand.view()["assignments"], [])
        same([one["kind"] for one in stand.view()["under_way"]], ["create"])
        statuses = sso.list_account_assignment_creation_status(InstanceArn=stand.made["instance_arn"])
        same(statuses["AccountAssignmentsCreationStatus"][0]["RequestId"], begun["RequestId"])
        same(listed(stand, sso), [])
        ended = finish(stand, "create", begun["RequestId"], sso)
        same([one["Status"] for one in ended], ["IN_PROGRESS", "SUCCEEDED"])
        same(listed(stand, sso), [stand.made["users"]["alice"]])
        instance = stand.made["instance_arn"]
        where = sso.list_permission_sets_provisioned_to_account(InstanceArn=instance, AccountId=PROD)
        same(where["PermissionSets"], [stand.made["permission_sets"]["ReadOnly"]])
        same([one["Status"] for one in delete(stand, sso)], ["IN_PROGRESS", "SUCCEEDED"])
        same(listed(stand, sso), [])
        where = sso.list_permission_sets_provisioned_to_account(InstanceArn=instance, AccountId=PROD)
        same(where["PermissionSets"], [])


def assigning_twice_succeeds_and_deleting_once_removes():
    """A duplicate leaves one; deleting what is not there is accepted and ends FAILED."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        same([create(stand, sso)[-1]["Status"] for _ in range(2)], ["SUCCEEDED", "SUCCEEDED"])
        same(listed(stand, sso), [stand.made["users"]["alice"]])
        same(delete(stand, sso)[-1]["Status"], "SUCCEEDED")
        same(listed(stand, sso), [])
        again = delete(stand, sso)[-1]
        same(again["Status"], "FAILED")
        assert again["FailureReason"].startswith("Received a 404 status error: EntitlementItem doesn't exist"), again
        whose = {"InstanceArn": stand.made["instance_arn"], "PrincipalType": "USER"}
        made = sso.list_account_assignments_for_principal(PrincipalId=stand.made["users"]["alice"], **whose)
        same(made["AccountAssignments"], [])


def strangers_fail_and_unknown_accounts_are_accepted_in_silence():
    """A person who is not in the directory ends FAILED; an account that does not exist does not."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        nobody = create(stand, sso, user="00000000-0000-4000-8000-000000000000")[-1]
        same(nobody["Status"], "FAILED")
        assert "was not found in directory " + stand.made["identity_store_id"] in nobody["FailureReason"], nobody
        same(create(stand, sso, account="999999999999")[-1]["Status"], "SUCCEEDED")


def a_delegated_administrator_may_not_touch_the_management_account():
    """Nor a set that is provisioned there; a third account may do nothing."""
    with stand_in() as stand:
        delegated = stand.client("sso-admin", key=DELEGATED)
        same(create(stand, delegated)[-1]["Status"], "SUCCEEDED")
        wanted = assignment(stand, account=MANAGEMENT)
        same(refusal(delegated.create_account_assignment, **wanted)[:2], ("AccessDeniedException", 400))
        same(create(stand, stand.client("sso-admin"), account=MANAGEMENT, role="Admin")[-1]["Status"], "SUCCEEDED")
        wanted = assignment(stand, role="Admin")
        same(refusal(delegated.create_account_assignment, **wanted)[0], "AccessDeniedException")
        same(refusal(stand.client("sso-admin", key=PROD).list_instances)[0], "AccessDeniedException")
        who = stand.client("sts", key=DELEGATED).get_caller_identity()
        same(who["Account"], DELEGATED)


def people_are_found_by_name_email_and_external_id():
    """Also two with one e-mail, and pages of a hundred."""
    with stand_in() as stand:
        store, directory = stand.made["identity_store_id"], stand.client("identitystore")
        alice = stand.made["users"]["alice"]
        issuer = "https://scim.aws.com/jit-tests"
        for wanted in (
            {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "alice"}},
            {"UniqueAttribute": {"AttributePath": "emails.value", "AttributeValue": "Alice@Example.com"}},
            {"ExternalId": {"Issuer": issuer, "Id": "00u1"}},
        ):
            same(directory.get_user_id(IdentityStoreId=store, AlternateIdentifier=wanted)["UserId"], alice)
        found = directory.describe_user(IdentityStoreId=store, UserId=alice)
        same(found["ExternalIds"], [{"Issuer": issuer, "Id": "00u1"}])
        stand.seed({"users": [{"name": "alice2", "email": "alice@example.com"}, {"name": "many", "count": 250}]})
        pages = list(directory.get_paginator("list_users").paginate(IdentityStoreId=store))
        same([len(page["Users"]) for page in pages], [100, 100, 53])
        twins = [user for page in pages for user in page["Users"] if user["Emails"][0]["Value"] == "alice@example.com"]
        same(len(twins), 2)
        filters = [{"AttributePath": "UserName", "AttributeValue": "bob"}]
        same(len(directory.list_users(IdentityStoreId=store, Filters=filters)["Users"]), 1)
        filters[0]["AttributePath"] = "Emails.Value"
        same(refusal(directory.list_users, IdentityStoreId=store, Filters=filters)[0], "ValidationException")
        gone = {"IdentityStoreId": store, "UserId": "00000000-0000-4000-8000-000000000000"}
        same(refusal(directory.describe_user, **gone)[0], "ResourceNotFoundException")
        stand.control(remove_users=["alice"])
        same(refusal(directory.describe_user, IdentityStoreId=store, UserId=alice)[0], "ResourceNotFoundException")


def groups_bring_assignments():
    """ListAccountAssignmentsForPrincipal shows what comes through a group."""
    with stand_in() as stand:
        stand.seed({"groups": [{"name": "ops", "members": ["alice"]}]})
        stand.control(assign=[{"permission_set": "Admin", "account": PROD, "group": "ops"}])
        found = stand.client("sso-admin").list_account_assignments_for_principal(
            InstanceArn=stand.made["instance_arn"], PrincipalType="USER", PrincipalId=stand.made["users"]["alice"]
        )["AccountAssignments"]
        same([one["PrincipalType"] for one in found], ["GROUP"])


def the_organization_has_units_and_tags():
    """Accounts by unit and tags by account; a unit that vanishes."""
    with stand_in() as stand:
        organizations = stand.client("organizations")
        same(organizations.describe_organization()["Organization"]["MasterAccountId"], MANAGEMENT)
        units = stand.seed({})["ous"]
        same(sorted(units), ["Core", "Workloads", "Workloads/Prod"])
        inside = organizations.list_accounts_for_parent(ParentId=units["Workloads/Prod"])["Accounts"]
        same([one["Id"] for one in inside], [PROD])
        below = organizations.list_children(ParentId=units["Workloads"], ChildType="ORGANIZATIONAL_UNIT")["Children"]
        same([one["Id"] for one in below], [units["Workloads/Prod"]])
        same(organizations.list_parents(ChildId=PROD)["Parents"][0]["Id"], units["Workloads/Prod"])
        same(organizations.list_tags_for_resource(ResourceId=STAGING)["Tags"], [{"Key": "env", "Value": "staging"}])
        same(organizations.describe_account(AccountId=PROD)["Account"]["Status"], "ACTIVE")
        same(refusal(organizations.describe_account, AccountId="999999999999")[0], "AccountNotFoundException")
        full = refusal(organizations.delete_organizational_unit, OrganizationalUnitId=units["Workloads"])
        same(full[0], "OrganizationalUnitNotEmptyException")
        stand.control(remove_ous=["Workloads/Prod"])
        gone = refusal(organizations.list_accounts_for_parent, ParentId=units["Workloads/Prod"])
        same(gone[:2], ("ParentNotFoundException", 400))
        stand.seed({"accounts": [{"id": PROD, "ou": "Core"}]})
        inside = organizations.list_accounts_for_parent(ParentId=units["Core"])["Accounts"]
        same(sorted(one["Id"] for one in inside), [DELEGATED, PROD])


def service_control_policies_are_seen():
    """The prepared deny on a person's Identity Center id."""
    with stand_in() as stand:
        deny = {"Version": "2012-10-17", "Statement": []}
        stand.seed({"policies": [{"name": "jit-kill", "content": deny, "targets": ["Workloads", PROD]}]})
        organizations = stand.client("organizations")
        policies = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
        found = next(one for one in policies if one["Name"] == "jit-kill")
        same(json.loads(organizations.describe_policy(PolicyId=found["Id"])["Policy"]["Content"]), deny)
        targets = organizations.list_targets_for_policy(PolicyId=found["Id"])["Targets"]
        same(sorted(one["Type"] for one in targets), ["ACCOUNT", "ORGANIZATIONAL_UNIT"])


def five_thousand_accounts_are_there_in_a_moment():
    """Seeded without HTTP, listed twenty a page."""
    begun = time.time()
    with stand_in({"accounts": [{"name": "team", "count": 5000, "ou": "Bulk", "tags": {"env": "prod"}}]}) as stand:
        seeded = time.time() - begun
        assert seeded < 5, f"seeding took {seeded:.1f} s"
        begun, organizations = time.time(), stand.client("organizations")
        pages = list(organizations.get_paginator("list_accounts").paginate())
        same(len({one["Id"] for page in pages for one in page["Accounts"]}), 5001)
        same(len(pages), 251)
        print(f"   5,000 accounts: seeded in {seeded:.2f} s, listed in {time.time() - begun:.2f} s")


def a_signature_that_is_wrong_is_refused():
    """And a request without one."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        bad = botocore.session.get_session().create_client(
            "sso-admin", region_name="us-east-1", endpoint_url=stand.url,
            aws_access_key_id="test", aws_secret_access_key="wrong",
        )
        same(refusal(bad.list_instances)[:2], ("InvalidSignatureException", 403))
        sso.meta.events.register("before-send", lambda request, **_: request.headers.__delitem__("Authorization"))
        same(refusal(sso.list_instances)[:2], ("MissingAuthenticationTokenException", 403))


CHECKS = [
    instances_are_seen_in_their_region_only,
    permission_sets_have_the_arns_of_aws,
    an_assignment_appears_when_its_operation_ends,
    assigning_twice_succeeds_and_deleting_once_removes,
    strangers_fail_and_unknown_accounts_are_accepted_in_silence,
    a_delegated_administrator_may_not_touch_the_management_account,
    people_are_found_by_name_email_and_external_id,
    groups_bring_assignments,
    the_organization_has_units_and_tags,
    service_control_policies_are_seen,
    five_thousand_accounts_are_there_in_a_moment,
    a_signature_that_is_wrong_is_refused,
]
