"""Makes roles in an AWS stand-in: aws_roles.py URL ACCOUNT:NAME...

Each becomes arn:aws:iam::ACCOUNT:role/jit/NAME: anybody may assume it, and it may do everything,
so that whatever is refused later was refused by what jit sent. Only for stand-ins on loopback.
"""

import json
import sys
from urllib.parse import urlsplit

import botocore.config
import botocore.session

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        }
    ],
}
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def make(url, account, name):
    # ministack takes a 12-digit access key id for the account of that number.
    iam = botocore.session.get_session().create_client(
        "iam",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=account,
        aws_secret_access_key="test",
        config=botocore.config.Config(proxies={}),
    )
    try:
        iam.create_role(
            Path="/jit/",
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(TRUST),
            MaxSessionDuration=43200,
        )
    except iam.exceptions.EntityAlreadyExistsException:
        pass
    iam.put_role_policy(
        RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING)
    )
    print(f"arn:aws:iam::{account}:role/jit/{name}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    url, *roles = sys.argv[1:]
    if urlsplit(url).hostname != "127.0.0.1":
        sys.exit(f"{url} is not on loopback: roles that may do everything are made in stand-ins only")
    for role in roles:
        make(url, *role.split(":"))


main()
