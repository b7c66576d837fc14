"""Faults that a test orders: which call, what happens to it, how often.

A rule is `{"operation": ..., "fault": ..., how often}`; the operation is a name, `service:name`, or a list of them, with
`*` where any will do: "CreateAccountAssignment", "sso-admin:*", "sso-oidc:CreateToken".
How often: `"next": N` calls, a `"share": 0.5` of them (`"seed"` makes it repeatable), else all until cleared;
`"skip": N` lets N calls pass first. Faults that do not answer (delays, and "fail") let the next rule look as well.
"""

import fnmatch
import random

import answers

KINDS = {
    "throttle": "too many calls, as the service says it",
    "conflict": "ConflictException",
    "internal": "HTTP 500",
    "access_denied": "AccessDeniedException",
    "error": "any: code, message, status",
    "delay": "ms before the work",
    "delay_after": "ms between the work and its answer",
    "cut_before": "the connection ends, nothing was done",
    "cut_after": "the work is done, the connection ends without an answer",
    "cut_half": "the work is done, half of the answer comes",
    "fail": "accepted, and ends FAILED with reason",
}


class Rule:
    """One order of a test."""

    def __init__(self, order):
        unknown = set(order) - {
            "operation", "fault", "next", "share", "seed", "skip", "ms", "code", "message", "status", "reason",
        }
        if unknown or order.get("fault") not in KINDS or "operation" not in order:
            raise ValueError(f"not a fault: {order}; faults are {sorted(KINDS)}")
        names = order["operation"]
        self.names = [names] if isinstance(names, str) else names
        self.order = order
        self.left = order.get("next")
        self.skip = order.get("skip", 0)
        self.chance = random.Random(order.get("seed", 1))

    def hits(self, service, operation):
        """Whether this call is one of those ordered; counts it."""
        called = (operation, f"{service}:{operation}")
        if self.left == 0 or not any(fnmatch.fnmatchcase(name, wanted) for name in called for wanted in self.names):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if "share" in self.order and self.chance.random() >= self.order["share"]:
            return False
        if self.left is not None:
            self.left -= 1
        return True

    def view(self):
        """The order and what is left of it."""
        return {**self.order, **({} if self.left is None else {"next": self.left})}


class Plan:
    """What will happen to one call."""

    def __init__(self):
        self.before_ms = 0
        self.after_ms = 0
        self.answer = None
        self.cut = None
        self.fail_reason = None


class Faults:
    """All orders that stand."""

    def __init__(self):
        self.rules = []

    def order(self, orders):
        """Adds rules; the first that answers wins."""
        self.rules.extend([Rule(order) for order in orders])

    def plan(self, service, shape, operation):
        """What happens to this call. Call it once for each call, under the lock."""
        plan = Plan()
        for rule in self.rules:
            if rule.hits(service, operation):
                self._apply(plan, rule.order, shape)
            if plan.answer or plan.cut:
                break
        self.rules = [rule for rule in self.rules if rule.left != 0]
        return plan

    @staticmethod
    def _apply(plan, order, shape):
        kind = order["fault"]
        message = order.get("message", f"{kind} was ordered by the test")
        if kind == "delay":
            plan.before_ms += order.get("ms", 100)
        elif kind == "delay_after":
            plan.after_ms += order.get("ms", 100)
        elif kind.startswith("cut_"):
            plan.cut = kind
        elif kind == "fail":
            plan.fail_reason = order.get("reason", message)
        elif kind == "throttle":
            plan.answer = answers.throttled(shape)
            if order.get("code"):
                plan.answer = answers.error_of(shape, order["code"], message, order.get("status", 400))
        else:
            code, status = {
                "conflict": ("ConflictException", 400),
                "internal": ("InternalServerException", 500),
                "access_denied": ("AccessDeniedException", 400),
                "error": (order.get("code", "ValidationException"), 400),
            }[kind]
            plan.answer = answers.error_of(shape, code, message, order.get("status", status))
