"""Judges policies at chosen instants: iam_evaluator.py < CASES, a JSON list of {policy, action, resource, at}; with
{principal, keys} too, it is somebody else's session, which has these condition keys.

Prints a JSON list of Allow, Deny (a statement says so) and ImplicitDeny (nothing allows it). The judge is
ministack's own evaluator; only its clock is replaced. The role behind the session may do everything.
"""

import json
import sys

from ministack.core import iam_evaluator as judge

EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
real_key = judge._resolve_condition_key
now = None


def key_at_instant(key, context):
    return now if key.lower() == "aws:currenttime" else real_key(key, context)


judge._resolve_condition_key = key_at_instant
decisions = []
for case in json.load(sys.stdin):
    now = case["at"]
    assert judge.validate_policy_document(case["policy"]) is None, case["policy"]
    context = judge.EvalContext(
        principal_arn=case.get("principal", "arn:aws:sts::111111111111:assumed-role/jit-prod-admin/alice@0123456789ab"),
        principal_type="AssumedRole",
        principal_account="111111111111",
        action=case["action"],
        resource_arn=case["resource"],
        region="us-east-1",
        principal_keys={name.lower(): value for name, value in case.get("keys", {}).items()},
    )
    role = [judge.parse_policy_document(EVERYTHING)]
    session = [judge.parse_policy_document(case["policy"])]
    decisions.append(judge.evaluate(context, role, session).decision)
print(json.dumps(decisions))
