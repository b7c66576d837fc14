"""People of the identity store as AWS shows them, and pages as AWS cuts them."""

import answers


def paged(name, items, params, largest):
    """One page of `items`; the token is an index, which clients must not look into."""
    start = int(params["NextToken"].removeprefix("page-")) if params.get("NextToken") else 0
    count = min(largest, params.get("MaxResults") or largest)
    page = {name: items[start : start + count]}
    if start + count < len(items):
        page["NextToken"] = f"page-{start + count}"
    return page


def _refused(code, message, **more):
    return answers.Refused(answers.admin_error(code, message, **more))


def _not_found():
    return _refused("ResourceNotFoundException", "USER not found.", ResourceType="USER")


def _require_store(world, params):
    store = params.get("IdentityStoreId", "").rsplit("/", 1)[-1]
    if store != world.instance.identity_store_id:
        raise _refused("ResourceNotFoundException", "IDENTITY_STORE not found.", ResourceType="IDENTITY_STORE")


def _view(world, user):
    view = {
        "IdentityStoreId": user.IdentityStoreId,
        "UserId": user.UserId,
        "UserArn": f"arn:aws:identitystore:::user/{user.UserId}",
        "Revision": "1",
        "UserName": user.UserName,
        "DisplayName": user.DisplayName,
        "Name": {"GivenName": user.Name.GivenName, "FamilyName": user.Name.FamilyName},
        "UserStatus": "DISABLED" if user.UserId in world.disabled_users else "ENABLED",
    }
    if user.Emails:
        view["Emails"] = user.Emails
    if user.UserId in world.external_ids:
        view["ExternalIds"] = [world.external_ids[user.UserId]]
    return view


def get_user_id(world, params):
    """By user name, e-mail (the first that has it) or the identity provider's id."""
    _require_store(world, params)
    wanted = params["AlternateIdentifier"]
    if "ExternalId" in wanted:
        matches = lambda user: world.external_ids.get(user.UserId) == wanted["ExternalId"]
    else:
        path = wanted["UniqueAttribute"]["AttributePath"].lower()
        value = str(wanted["UniqueAttribute"]["AttributeValue"]).lower()
        if path == "username":
            matches = lambda user: user.UserName.lower() == value
        elif path == "emails.value":
            matches = lambda user: any(email["Value"].lower() == value for email in user.Emails)
        else:
            raise _refused("ValidationException", f"The attribute {path} is not a unique attribute")
    found = next((user for user in world.directory.users.values() if matches(user)), None)
    if found is None:
        raise _not_found()
    return {"IdentityStoreId": found.IdentityStoreId, "UserId": found.UserId, "UserArn": _view(world, found)["UserArn"]}


def list_users(world, params):
    """All, a hundred a page, or the one with a user name."""
    _require_store(world, params)
    users = list(world.directory.users.values())
    for filter_ in params.get("Filters") or []:
        if filter_["AttributePath"] != "UserName":
            raise _refused("ValidationException", f"Filter attribute {filter_['AttributePath']} is not supported")
        wanted = filter_["AttributeValue"].lower()
        users = [user for user in users if user.UserName.lower() == wanted]
    page = paged("Users", users, params, 100)
    return {**page, "Users": [_view(world, user) for user in page["Users"]]}


def describe_user(world, params):
    """One by id."""
    _require_store(world, params)
    user = world.directory.users.get(params["UserId"].rsplit("/", 1)[-1])
    if user is None:
        raise _not_found()
    return _view(world, user)
