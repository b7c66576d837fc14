"""Applies a template of `jit aws bootstrap` to an AWS stand-in: aws_account.py URL ACCOUNT TEMPLATE

CloudFormation of the stand-in makes roles and policies. It knows no AWS::IAM::OIDCProvider and forgets permissions
boundaries, so those two are made by IAM's own calls, with the same properties. Only for stand-ins on loopback.
"""

import json
import sys
from urllib.parse import urlsplit

import botocore.config
import botocore.session
import yaml

PROVIDER = "AWS::IAM::OIDCProvider"
ROLE = "AWS::IAM::Role"


def client(service, url, account):
    # ministack takes a 12-digit access key id for the account of that number.
    return botocore.session.get_session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=account,
        aws_secret_access_key="test",
        config=botocore.config.Config(proxies={}),
    )


def apply(url, account, path):
    with open(path, encoding="utf-8") as file:
        template = yaml.safe_load(file)
    iam, stacks = client("iam", url, account), client("cloudformation", url, account)
    resources = template["Resources"]
    for name in [name for name, made in resources.items() if made["Type"] == PROVIDER]:
        properties = resources.pop(name)["Properties"]
        iam.create_open_id_connect_provider(
            Url=properties["Url"], ClientIDList=properties["ClientIdList"], ThumbprintList=["0" * 40]
        )
        for made in resources.values():
            if name in made.get("DependsOn", []):
                made["DependsOn"].remove(name)
    stacks.create_stack(
        StackName="jit", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    stacks.get_waiter("stack_create_complete").wait(
        StackName="jit", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    made = stacks.describe_stack_resources(StackName="jit")["StackResources"]
    physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}
    for name, resource in resources.items():
        boundary = resource["Properties"].get("PermissionsBoundary")
        if resource["Type"] == ROLE and boundary:
            iam.put_role_permissions_boundary(
                RoleName=physical[name], PermissionsBoundary=physical[boundary["Ref"]]
            )
    print(json.dumps(physical))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if urlsplit(sys.argv[1]).hostname != "127.0.0.1":
        sys.exit(f"{sys.argv[1]} is not on loopback")
    apply(*sys.argv[1:])


main()
