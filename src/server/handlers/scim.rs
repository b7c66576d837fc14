//! SCIM for directories: parse, call, answer in SCIM's own form.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::server::backend::Backend;
use crate::server::edge::body::whole;
use crate::server::edge::directory::Pushing;
use crate::server::scim::answer::{Answer, Matching};
use crate::server::scim::error::{ScimError, ScimType};
use crate::server::scim::list::Asked;
use crate::server::scim::resource::{self, Resource, Selection, etag, location};
use crate::server::scim::users::Write;
use crate::server::scim::{Kind, MEDIA_TYPE, attributes, discovery, groups, users};
use crate::wire::LARGEST_SCIM_BODY;

/// A body that is said to be JSON.
pub struct Raw(Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = ScimError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ScimError> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if ![MEDIA_TYPE, "application/json"]
            .iter()
            .any(|own| kind.eq_ignore_ascii_case(own))
        {
            let what = "the body is not application/scim+json".to_owned();
            return Err(ScimError::Wrong(ScimType::InvalidSyntax, what));
        }
        Ok(Self(whole(request, state, LARGEST_SCIM_BODY).await?))
    }
}

/// The same, read.
pub struct Sent(Value);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = ScimError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ScimError> {
        let Raw(body) = Raw::from_request(request, state).await?;
        attributes::parse(&body).map(Self)
    }
}

/// What is asked of an answer; of a list, also which resources. What does not fit is passed over: `sortBy` is one of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    attributes: Option<String>,
    excluded_attributes: Option<String>,
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
}

impl Wanted {
    fn selection(&self, kind: Kind) -> Selection {
        Selection::new(kind, self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    fn asked(&self, kind: Kind) -> Result<Asked, ScimError> {
        Asked::new(
            self.filter.as_deref(),
            self.start_index,
            self.count,
            self.selection(kind),
        )
    }
}

type Called = State<Arc<Backend>>;
type Answered = Result<Response, ScimError>;

fn answer(
    backend: &Backend,
    kind: Kind,
    status: StatusCode,
    version: u64,
    resource: Resource,
    wanted: &Wanted,
) -> Answer {
    let id = resource::text(&resource, "id").unwrap_or_default();
    Answer {
        status,
        etag: Some(etag(version)),
        location: (status == StatusCode::CREATED).then(|| location(&backend.settings.origin, kind, &id)),
        body: wanted.selection(kind).of(resource),
    }
}

fn user(backend: &Backend, status: StatusCode, user: &crate::domain::DirectoryUser, wanted: &Wanted) -> Response {
    let resource = resource::of_user(&backend.settings.origin, user);
    answer(backend, Kind::User, status, user.version, resource, wanted).into_response()
}

fn group(backend: &Backend, status: StatusCode, group: &groups::Whole, wanted: &Wanted) -> Response {
    let (version, resource) = (group.group.version, group.resource(backend));
    answer(backend, Kind::Group, status, version, resource, wanted).into_response()
}

/// What of SCIM is offered.
#[utoipa::path(get, path = "/scim/v2/ServiceProviderConfig", responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn config(State(backend): Called, _: Pushing) -> Answer {
    Answer::of(discovery::config(&backend.settings.origin))
}

/// Kinds of resources.
#[utoipa::path(get, path = "/scim/v2/ResourceTypes", responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn resource_types(State(backend): Called, _: Pushing) -> Answer {
    Answer::of(discovery::resource_types(&backend.settings.origin))
}

/// A kind of resources.
#[utoipa::path(get, path = "/scim/v2/ResourceTypes/{id}", params(("id" = String, Path)), responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn resource_type(State(backend): Called, _: Pushing, Path(id): Path<String>) -> Result<Answer, ScimError> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == id);
    let kind = kind.ok_or(ScimError::NotFound)?;
    Ok(Answer::of(discovery::resource_type(&backend.settings.origin, kind)))
}

/// Schemas of the kinds of resources.
#[utoipa::path(get, path = "/scim/v2/Schemas", responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn schemas(State(backend): Called, _: Pushing) -> Answer {
    Answer::of(discovery::schemas(&backend.settings.origin))
}

/// A schema.
#[utoipa::path(get, path = "/scim/v2/Schemas/{id}", params(("id" = String, Path)), responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn schema(State(backend): Called, _: Pushing, Path(id): Path<String>) -> Result<Answer, ScimError> {
    let kind = discovery::kind_of_schema(&id).ok_or(ScimError::NotFound)?;
    Ok(Answer::of(discovery::schema(&backend.settings.origin, kind)))
}

/// Looking for people and groups at once: not offered.
#[utoipa::path(post, path = "/scim/v2/.search", responses((status = "default", body = Value)))]
pub async fn search(_: Pushing) -> ScimError {
    ScimError::NotOffered("looking for people and groups at once")
}

/// People of the directory.
#[utoipa::path(get, path = "/scim/v2/Users", params(
    ("filter" = Option<String>, Query, description = "RFC 7644, section 3.4.2.2."),
    ("startIndex" = Option<i64>, Query, description = "From which on; the first is 1."),
    ("count" = Option<i64>, Query, description = "How many, 200 at most."),
    ("attributes" = Option<String>, Query, description = "Only these."),
    ("excludedAttributes" = Option<String>, Query, description = "All but these."),
), responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn list_users(State(backend): Called, Pushing(directory): Pushing, wanted: Query<Wanted>) -> Answered {
    let list = users::list(&backend, &directory, &wanted.asked(Kind::User)?).await?;
    Ok(Answer::of(list).into_response())
}

/// Adds somebody.
#[utoipa::path(post, path = "/scim/v2/Users", request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 201, body = Value, content_type = "application/scim+json")))]
pub async fn create_user(
    State(backend): Called,
    Pushing(directory): Pushing,
    wanted: Query<Wanted>,
    Sent(body): Sent,
) -> Answered {
    let created = users::create(&backend, &directory, &body).await?;
    Ok(user(&backend, StatusCode::CREATED, &created, &wanted))
}

/// Somebody.
#[utoipa::path(get, path = "/scim/v2/Users/{id}", params(("id" = String, Path)), responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn look_at_user(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
) -> Answered {
    let found = users::look(&backend, &directory, &id).await?;
    if Matching::of(&headers).has(&etag(found.version)) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(user(&backend, StatusCode::OK, &found, &wanted))
}

/// Puts somebody in the place of who was there.
#[utoipa::path(put, path = "/scim/v2/Users/{id}", params(("id" = String, Path)), request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn replace_user(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Answered {
    let matching = Matching::of(&headers);
    let changed = users::change(&backend, &directory, &id, Write::Replace(&body), &matching).await?;
    Ok(user(&backend, StatusCode::OK, &changed, &wanted))
}

/// Changes somebody.
#[utoipa::path(patch, path = "/scim/v2/Users/{id}", params(("id" = String, Path)), request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn patch_user(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answered {
    let matching = Matching::of(&headers);
    let changed = users::change(&backend, &directory, &id, Write::Patch(&body), &matching).await?;
    Ok(user(&backend, StatusCode::OK, &changed, &wanted))
}

/// Takes somebody out.
#[utoipa::path(delete, path = "/scim/v2/Users/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn delete_user(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ScimError> {
    users::delete(&backend, &directory, &id, &Matching::of(&headers)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Groups of the directory.
#[utoipa::path(get, path = "/scim/v2/Groups", params(
    ("filter" = Option<String>, Query, description = "RFC 7644, section 3.4.2.2."),
    ("startIndex" = Option<i64>, Query, description = "From which on; the first is 1."),
    ("count" = Option<i64>, Query, description = "How many, 200 at most."),
    ("attributes" = Option<String>, Query, description = "Only these."),
    ("excludedAttributes" = Option<String>, Query, description = "All but these."),
), responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn list_groups(State(backend): Called, Pushing(directory): Pushing, wanted: Query<Wanted>) -> Answered {
    let list = groups::list(&backend, &directory, &wanted.asked(Kind::Group)?).await?;
    Ok(Answer::of(list).into_response())
}

/// Adds a group.
#[utoipa::path(post, path = "/scim/v2/Groups", request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 201, body = Value, content_type = "application/scim+json")))]
pub async fn create_group(
    State(backend): Called,
    Pushing(directory): Pushing,
    wanted: Query<Wanted>,
    Sent(body): Sent,
) -> Answered {
    let created = groups::create(&backend, &directory, &body).await?;
    Ok(group(&backend, StatusCode::CREATED, &created, &wanted))
}

/// A group.
#[utoipa::path(get, path = "/scim/v2/Groups/{id}", params(("id" = String, Path)), responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn look_at_group(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
) -> Answered {
    let has_members = wanted.selection(Kind::Group).has("members");
    let found = groups::look(&backend, &directory, &id, has_members).await?;
    if Matching::of(&headers).has(&etag(found.group.version)) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(group(&backend, StatusCode::OK, &found, &wanted))
}

/// Puts a group in the place of what was there.
#[utoipa::path(put, path = "/scim/v2/Groups/{id}", params(("id" = String, Path)), request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn replace_group(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Answered {
    let matching = Matching::of(&headers);
    let changed = groups::change(&backend, &directory, &id, Write::Replace(&body), &matching).await?;
    Ok(group(&backend, StatusCode::OK, &changed, &wanted))
}

/// Changes a group.
#[utoipa::path(patch, path = "/scim/v2/Groups/{id}", params(("id" = String, Path)), request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn patch_group(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answered {
    let matching = Matching::of(&headers);
    let changed = groups::change(&backend, &directory, &id, Write::Patch(&body), &matching).await?;
    Ok(group(&backend, StatusCode::OK, &changed, &wanted))
}

/// Takes a group away.
#[utoipa::path(delete, path = "/scim/v2/Groups/{id}", params(("id" = String, Path)), responses((status = 204)))]
pub async fn delete_group(
    State(backend): Called,
    Pushing(directory): Pushing,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ScimError> {
    groups::delete(&backend, &directory, &id, &Matching::of(&headers)).await?;
    Ok(StatusCode::NO_CONTENT)
}
