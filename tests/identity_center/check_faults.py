"""Every fault that a test can order, seen through the real botocore client."""

import concurrent.futures
import time

import botocore.exceptions

from check_tools import PROD, STAGING, assignment, create, delete, finish, listed, refusal, same, stand_in


def a_throttled_call_says_what_sso_admin_says():
    """The next N calls; the same on each service in its own words."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        stand.control(faults=[{"operation": "sso-admin:*", "fault": "throttle", "next": 2}])
        same(refusal(sso.list_instances), ("ThrottlingException", 400, "Rate exceeded"))
        same(refusal(sso.list_instances)[0], "ThrottlingException")
        same(len(sso.list_instances()["Instances"]), 1)
        other = {"operation": "ListInstances", "fault": "throttle", "code": "TooManyRequestsException", "next": 1}
        stand.control(faults=[other])
        same(refusal(sso.list_instances)[:2], ("TooManyRequestsException", 400))
        stand.control(faults=[{"operation": ["organizations:*", "sts:*", "sso:*", "sso-oidc:*"], "fault": "throttle"}])
        same(refusal(stand.client("organizations").list_roots)[0], "ThrottlingException")
        same(refusal(stand.client("sts").get_caller_identity)[0], "Throttling")
        portal = stand.client("sso").list_accounts
        same(refusal(portal, accessToken="x")[:2], ("TooManyRequestsException", 429))
        register = stand.client("sso-oidc").register_client
        same(refusal(register, clientName="jit", clientType="public")[:2], ("SlowDownException", 400))
        same(stand.view()["outcomes"]["ListInstances"], {"ThrottlingException": 2, "ok": 1, "TooManyRequestsException": 1})


def half_of_the_calls_are_throttled():
    """A share, the same ones for the same seed."""
    with stand_in() as stand:
        sso, seen = stand.client("sso-admin"), []
        for _ in range(2):
            stand.control(clear_faults=True)
            stand.control(faults=[{"operation": "ListInstances", "fault": "throttle", "share": 0.5, "seed": 4}])
            seen.append("")
            for _ in range(40):
                try:
                    sso.list_instances()
                    seen[-1] += "."
                except botocore.exceptions.ClientError:
                    seen[-1] += "x"
        same(seen[0], seen[1])
        assert 10 < seen[0].count("x") < 30, seen


def conflicts_errors_and_delays_come_as_ordered():
    """In the order in which they were ordered; a delay lets the next rule look as well."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        stand.control(
            faults=[
                {"operation": "ListInstances", "fault": "delay", "ms": 300, "next": 1},
                {"operation": "ListInstances", "fault": "conflict", "next": 1},
                {"operation": "ListInstances", "fault": "internal", "next": 1},
                {"operation": "ListInstances", "fault": "access_denied", "next": 1},
                {"operation": "ListInstances", "fault": "error", "code": "ServiceQuotaExceededException", "next": 1},
            ]
        )
        begun = time.time()
        same(refusal(sso.list_instances)[:2], ("ConflictException", 400))
        assert time.time() - begun >= 0.3
        same(refusal(sso.list_instances)[:2], ("InternalServerException", 500))
        same(refusal(sso.list_instances)[0], "AccessDeniedException")
        same(refusal(sso.list_instances)[0], "ServiceQuotaExceededException")
        same(len(sso.list_instances()["Instances"]), 1)


def a_connection_is_cut_before_and_after_the_work():
    """An answer that is lost after the work was done; half of one."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        for fault, made in (("cut_before", 0), ("cut_after", 1), ("cut_half", 1)):
            stand.control(unassign=[{"permission_set": "ReadOnly", "account": PROD, "user": "alice"}])
            stand.control(faults=[{"operation": "CreateAccountAssignment", "fault": fault, "next": 1}])
            try:
                sso.create_account_assignment(**assignment(stand))
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.ResponseStreamingError):
                pass
            else:
                raise AssertionError(f"{fault}: an answer came")
            same((fault, len(listed(stand, sso))), (fault, made))
        same(stand.view()["outcomes"]["CreateAccountAssignment"], {"cut_before": 1, "cut_after": 1, "cut_half": 1})


def an_operation_fails_in_the_end():
    """Accepted, polled, FAILED with a reason; then nothing is there, or still is."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        fails = {"fault": "fail", "reason": "Received a 403 status error", "next": 1}
        stand.control(faults=[{"operation": "*AccountAssignment", **fails}])
        ended = create(stand, sso)[-1]
        same((ended["Status"], ended["FailureReason"]), ("FAILED", "Received a 403 status error"))
        same(listed(stand, sso), [])
        create(stand, sso)
        stand.control(faults=[{"operation": "*AccountAssignment", **fails}])
        same(delete(stand, sso)[-1]["Status"], "FAILED")
        same(len(listed(stand, sso)), 1)


def an_operation_is_in_conflict_with_one_under_way():
    """The same principal, set and account; another is not."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        stand.control(settings={"held": True})
        begun = sso.create_account_assignment(**assignment(stand))["AccountAssignmentCreationStatus"]
        same(refusal(sso.delete_account_assignment, **assignment(stand))[:2], ("ConflictException", 400))
        sso.create_account_assignment(**assignment(stand, user="bob"))
        stand.control(settings={"conflicts": "role"})
        same(refusal(sso.create_account_assignment, **assignment(stand, user="bob"))[0], "ConflictException")
        sso.create_account_assignment(**assignment(stand, account=STAGING))
        stand.control(release=True)
        same(finish(stand, "create", begun["RequestId"], sso)[-1]["Status"], "SUCCEEDED")
        same(stand.view()["most_outstanding"], {"create": 3, "delete": 0, "both": 3})


def the_quota_is_really_kept():
    """Beyond 20 calls in a second, and beyond 10 creations under way."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        stand.control(settings={"quota": {"per_second": 20, "outstanding": 10}, "held": True})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            clients = [stand.client("sso-admin") for _ in range(8)]
            called = list(pool.map(lambda n: code_of(clients[n % 8].list_instances), range(40)))
        assert 20 <= called.count(None) < 40 and set(called) == {None, "ThrottlingException"}, called
        time.sleep(1.05)
        people = {f"p-{n}": None for n in range(1, 13)}
        stand.made["users"].update(stand.seed({"users": [{"name": "p", "count": 12}]})["users"])
        begun = [code_of(sso.create_account_assignment, **assignment(stand, user=name)) for name in people]
        same(begun, [None] * 10 + ["ThrottlingException"] * 2)
        view = stand.view()
        same(view["most_outstanding"]["create"], 10)
        assert view["busiest_second"] >= 20, view["busiest_second"]
        stand.control(release=True)
        same(len(stand.view()["assignments"]), 10)


def code_of(call, **kwargs):
    """The error's code, or None."""
    try:
        call(**kwargs)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


def calls_are_written_down_in_order():
    """Name, time, whom and where, outcome; only those since a number."""
    with stand_in() as stand:
        sso = stand.client("sso-admin")
        create(stand, sso)
        calls = stand.view()["calls"]
        same([call["operation"] for call in calls][:2], ["CreateAccountAssignment", "DescribeAccountAssignmentCreationStatus"])
        same((calls[0]["account"], calls[0]["principal_id"], calls[0]["outcome"]), (PROD, stand.made["users"]["alice"], "ok"))
        assert calls[0]["at_ms"] <= calls[1]["at_ms"]
        same(stand.view("?since=1")["calls"], calls[1:])
        assert "calls" not in stand.view("?calls=0")
        same(stand.control(reset_record=True)["counts"], {})


def others_change_things_behind_our_back():
    """Made and taken away by others; an orphan; a set whose role is gone."""
    with stand_in() as stand:
        sso, one = stand.client("sso-admin"), {"permission_set": "ReadOnly", "account": PROD, "user": "alice"}
        stand.control(assign=[one])
        same(listed(stand, sso), [stand.made["users"]["alice"]])
        stand.control(remove_users=["alice"], settings={"orphans": "fail"})
        same(delete(stand, sso)[-1]["Status"], "FAILED")
        stand.control(settings={"orphans": "delete"})
        same(delete(stand, sso)[-1]["Status"], "SUCCEEDED")
        stand.control(remove_permission_sets=["Admin"])
        wanted = assignment(stand, user="bob", role="Admin")
        same(refusal(sso.create_account_assignment, **wanted)[0], "ResourceNotFoundException")


def an_order_that_makes_no_sense_is_refused():
    """A test that misspells learns it at once."""
    with stand_in() as stand:
        for orders in (
            {"fault": []}, {"settings": {"hold": 1}}, {"faults": [{"operation": "*", "fault": "burn"}]},
            {"assign": [{"permission_set": "None", "account": PROD, "user": "alice"}]}, {"approve": {"user": "alice"}},
        ):
            try:
                stand.control(**orders)
            except AssertionError as error:
                assert "Error: " in str(error), error
            else:
                raise AssertionError(f"taken: {orders}")


CHECKS = [
    a_throttled_call_says_what_sso_admin_says,
    half_of_the_calls_are_throttled,
    conflicts_errors_and_delays_come_as_ordered,
    a_connection_is_cut_before_and_after_the_work,
    an_operation_fails_in_the_end,
    an_operation_is_in_conflict_with_one_under_way,
    the_quota_is_really_kept,
    calls_are_written_down_in_order,
    others_change_things_behind_our_back,
    an_order_that_makes_no_sense_is_refused,
]
