"""Has scim2-tester judge the SCIM server at argv[1], with the token argv[2]: one line a check, its status first.
Ends with 1 where a check failed."""

import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

http = Client(
    base_url=sys.argv[1],
    headers={"Authorization": f"Bearer {sys.argv[2]}"},
    trust_env=False,
    timeout=30,
)
failed = False
for result in check_server(SyncSCIMClient(http)):
    failed = failed or result.status in (Status.ERROR, Status.CRITICAL, Status.DEVIATION)
    about = " ".join(filter(None, [result.resource_type, result.title, result.reason]))
    print(result.status.name, " ".join(about.split()))
sys.exit(1 if failed else 0)
