"""Which calls came, when, and what became of them: what a test of governors and of order looks at."""

import time
from collections import Counter, deque

ADMIN_SERVICE = "sso-admin"


class Record:
    """Calls in the order in which they came. Time is counted from the start of the stand-in."""

    def __init__(self):
        self.started = time.time()
        self.clear()

    def clear(self):
        """Forgets all calls."""
        self.calls = []
        self.outcomes = {}
        self.most_outstanding = {"create": 0, "delete": 0, "both": 0}

    def begin(self, service, operation, detail):
        """Writes a call down; its outcome follows."""
        call = {
            "n": len(self.calls) + 1,
            "at_ms": round((time.time() - self.started) * 1000, 1),
            "service": service,
            "operation": operation,
            "outcome": "running",
            **detail,
        }
        self.calls.append(call)
        return call

    def end(self, call, outcome):
        """What became of it: ok, the name of an error, cut_before, ..."""
        call["outcome"] = outcome
        self.outcomes.setdefault(call["operation"], Counter())[outcome] += 1

    def outstanding(self, create, delete):
        """How many account operations are under way now."""
        most = self.most_outstanding
        for name, count in (("create", create), ("delete", delete), ("both", create + delete)):
            most[name] = max(most[name], count)

    def busiest_second(self):
        """The most calls of sso-admin that came within one second."""
        window, most = deque(), 0
        for call in self.calls:
            if call["service"] != ADMIN_SERVICE:
                continue
            window.append(call["at_ms"])
            while window[0] <= call["at_ms"] - 1000:
                window.popleft()
            most = max(most, len(window))
        return most

    def view(self, since=0, with_calls=True):
        """For `GET /_control`."""
        counts = Counter(call["operation"] for call in self.calls)
        view = {
            "counts": dict(counts),
            "outcomes": {name: dict(outcomes) for name, outcomes in self.outcomes.items()},
            "most_outstanding": self.most_outstanding,
            "busiest_second": self.busiest_second(),
        }
        if with_calls:
            view["calls"] = self.calls[since:]
        return view


class Quota:
    """A rate that is really kept: so many calls in any one second; those refused do not count."""

    def __init__(self):
        self.accepted = {}

    def takes(self, service, per_second):
        """Whether one more call fits, and counts it."""
        now = time.time()
        window = self.accepted.setdefault(service, deque())
        while window and window[0] <= now - 1:
            window.popleft()
        if len(window) >= per_second:
            return False
        window.append(now)
        return True
