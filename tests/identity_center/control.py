"""What a test says to the stand-in and asks of it: `POST /_control`, `GET /_control`.

POST takes any of the orders below, done in this order, and answers what GET answers (without the calls).
"""

import seeding

ORDERS = {
    "reset_record": "true: forgets the calls so far",
    "clear_faults": "true: no fault stands any more",
    "settings": "{name: value}: see SETTINGS in world.py",
    "faults": "[rule]: see faults.py",
    "release": "true: lets go of operations that \"held\" keeps",
    "assign": "[{permission_set, account, user | group}]: made by others, at once",
    "unassign": "the same, taken away by others",
    "deprovision": "[{permission_set, account}]: the set's role is gone from there",
    "remove_users": "[name]: leave the directory; what they were assigned stays",
    "remove_permission_sets": "[name]",
    "remove_ous": "[path]: an organizational unit is gone, its accounts stand below the root",
    "approve": "{user, user_code}: at /device; without a code the newest",
    "deny": "{user_code}",
    "expire_tokens": "true or a user's name: access tokens answer 401, refresh tokens live",
    "end_sessions": "true or a user's name: refresh tokens too",
}


class Control:
    """Carries out a test's orders."""

    def __init__(self, world, assignments, oidc, portal):
        self.world, self.assignments, self.oidc, self.portal = world, assignments, oidc, portal

    def do(self, orders):
        """All orders of one call."""
        unknown = set(orders) - set(ORDERS)
        if unknown:
            raise ValueError(f"unknown orders {sorted(unknown)}; known: {sorted(ORDERS)}")
        for name in ORDERS:
            if name in orders:
                getattr(self, f"_{name}")(orders[name])
        return self.view(with_calls=False)

    def view(self, since=0, with_calls=True):
        """Everything that a test may want to know."""
        self.assignments.settle()
        under_way = self.assignments.under_way
        return {
            **self.world.record.view(since, with_calls),
            "assignments": self.assignments.existing(),
            "under_way": [{"kind": one.kind, **one.view()} for one in under_way],
            "provisioned": [list(pair) for pair in self.world.provisioned],
            "sessions": self.portal.sessions,
            "faults": [rule.view() for rule in self.world.faults.rules],
            "settings": self.world.settings,
            **self.oidc.view(),
        }

    def _reset_record(self, _):
        self.world.record.clear()
        self.portal.sessions.clear()

    def _clear_faults(self, _):
        self.world.faults.rules.clear()

    def _settings(self, wanted):
        unknown = set(wanted) - set(self.world.settings)
        if unknown:
            raise ValueError(f"unknown settings {sorted(unknown)}; known: {sorted(self.world.settings)}")
        self.world.settings.update(wanted)

    def _faults(self, rules):
        self.world.faults.order(rules)

    def _release(self, _):
        self.assignments.release()

    def _assign(self, wanted):
        for one in wanted:
            self.assignments.put(*seeding.key(self.world, one))

    def _unassign(self, wanted):
        for one in wanted:
            self.assignments.take(*seeding.key(self.world, one))

    def _deprovision(self, wanted):
        for one in wanted:
            found = self.world.permission_set(one["permission_set"])
            self.world.provisioned.pop((found.permission_set_arn, one["account"]), None)

    def _remove_users(self, names):
        for name in names:
            del self.world.directory.users[self.world.user(name).UserId]

    def _remove_permission_sets(self, names):
        for name in names:
            self.world.sso.permission_sets.remove(self.world.permission_set(name))

    def _remove_ous(self, paths):
        organization = self.world.organization
        for path in paths:
            gone = seeding.units(self.world)[path]
            organization.ou = [unit for unit in organization.ou if unit.id != gone]
            for child in [*organization.accounts, *organization.ou]:
                if child.parent_id == gone:
                    child.parent_id = organization.org.root_id

    def _approve(self, wanted):
        self.oidc.decide(wanted["user"], wanted.get("user_code"), denied=False)

    def _deny(self, wanted):
        self.oidc.decide(None, wanted.get("user_code"), denied=True)

    def _expire_tokens(self, whose):
        self.oidc.expire(None if whose is True else whose)

    def _end_sessions(self, whose):
        self.oidc.expire(None if whose is True else whose, refresh=True)
