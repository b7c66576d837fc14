"""The AWS common runtime (C, below the SDKs for C++ and Swift) on a profile: credentials for each line of stdin.

It signs nothing by itself here: asking its provider is what an SDK does before each signature.
"""

import sys

from awscrt.auth import AwsCredentialsProvider
from awscrt.io import ClientBootstrap, DefaultHostResolver, EventLoopGroup

group = EventLoopGroup(1)
provider = AwsCredentialsProvider.new_profile(ClientBootstrap(group, DefaultHostResolver(group)))
for _ in sys.stdin:
    try:
        print("done", provider.get_credentials().result().access_key_id, flush=True)
    except Exception as error:  # whatever it is, it is what somebody would see
        print("failed", type(error).__name__, " ".join(str(error).split()), flush=True)
