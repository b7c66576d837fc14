//! Rows of what directories push: people, groups, who is in which.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::{By, Directories, StoreError};
use super::read::{count, json, millis, number, raw, time, time_or_none, to_json};
use crate::domain::{DirectoryGroup, DirectoryMember, DirectoryUser, MembersChange, Timestamp};

pub(super) const USER_BY_ID: &str =
    "SELECT * FROM directory_users WHERE source = $1 AND id = $2 AND deleted_at IS NULL";
pub(super) const USER_BY_EXTERNAL_ID: &str = "SELECT * FROM directory_users WHERE source = $1 AND join_key = $2";
pub(super) const USER_BY_NAME: &str = "SELECT * FROM directory_users WHERE source = $1 AND user_key = $2";

/// Whoever is there comes before whoever was deleted, and who was deleted last before the others.
pub(super) const KNOWN: &str = "SELECT * FROM directory_users WHERE source = $1 AND external_id = $2
    ORDER BY deleted_at IS NOT NULL, deleted_at DESC, id DESC LIMIT 1";

pub(super) const USERS: &str = "SELECT * FROM directory_users WHERE source = $1 AND id > $2 AND deleted_at IS NULL
    ORDER BY id LIMIT $3";

/// By the index of ids, from each directory to the next: nobody is read.
const SOURCES: &str = "WITH RECURSIVE found (source) AS (
        SELECT MIN(source) FROM directory_users
        UNION ALL
        SELECT (SELECT MIN(source) FROM directory_users AS u WHERE u.source > found.source) FROM found
        WHERE found.source IS NOT NULL
    ) SELECT source FROM found WHERE source IS NOT NULL ORDER BY source";

const GROUP_BY_ID: &str = "SELECT * FROM directory_groups WHERE source = $1 AND id = $2 AND deleted_at IS NULL";
const GROUP_BY_EXTERNAL_ID: &str = "SELECT * FROM directory_groups WHERE source = $1 AND join_key = $2";
const GROUP_BY_NAME: &str = "SELECT * FROM directory_groups WHERE source = $1 AND name_key = $2";
const GROUPS: &str = "SELECT * FROM directory_groups WHERE source = $1 AND id > $2 AND deleted_at IS NULL
    ORDER BY id LIMIT $3";

pub(super) const MEMBERS: &str = "SELECT * FROM directory_members WHERE group_id = $1 ORDER BY member_id";

pub(super) const GROUPS_OF: &str = "SELECT g.*, m.since AS member_since FROM directory_members AS m
    JOIN directory_groups AS g ON g.id = m.group_id
    WHERE m.member_id = $1 AND g.deleted_at IS NULL ORDER BY g.id";

/// A name as it is compared: whatever its case, in every language.
fn key(name: &str) -> String {
    name.to_lowercase()
}

fn changed(rows: u64) -> Result<(), Failure> {
    match rows {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// Somebody as they shall stand.
pub(super) async fn write_user(connection: &mut Connection, user: &DirectoryUser) -> Result<(), Failure> {
    let is_there = user.deleted_at.is_none();
    let statement = if user.version == 1 {
        "INSERT INTO directory_users (source, id, user_name, user_key, external_id, join_key, active, details, created_at,
            changed_at, joined_at, returned_at, deleted_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (source, id) DO NOTHING"
    } else {
        "UPDATE directory_users SET user_name = $3, user_key = $4, external_id = $5, join_key = $6, active = $7,
            details = $8, created_at = $9, changed_at = $10, joined_at = $11, returned_at = $12, deleted_at = $13,
            version = $14
        WHERE source = $1 AND id = $2 AND version = $14 - 1"
    };
    let written = query(statement)
        .bind(user.source.as_str())
        .bind(user.id.as_str())
        .bind(user.user_name.as_str())
        .bind(is_there.then(|| key(&user.user_name)))
        .bind(user.external_id.as_deref())
        .bind(user.external_id.as_deref().filter(|_| is_there))
        .bind(i64::from(user.active))
        .bind(to_json(&user.details)?)
        .bind(user.created_at.millis())
        .bind(user.changed_at.millis())
        .bind(user.joined_at.millis())
        .bind(millis(user.returned_at))
        .bind(millis(user.deleted_at))
        .bind(number(user.version))
        .execute(connection)
        .await?;
    changed(written.rows_affected())
}

/// A group as it shall stand.
pub(super) async fn write_group(connection: &mut Connection, group: &DirectoryGroup) -> Result<(), Failure> {
    let is_there = group.deleted_at.is_none();
    let statement = if group.version == 1 {
        "INSERT INTO directory_groups (source, id, name, name_key, external_id, join_key, created_at, changed_at, named_at,
            deleted_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (source, id) DO NOTHING"
    } else {
        "UPDATE directory_groups SET name = $3, name_key = $4, external_id = $5, join_key = $6, created_at = $7,
            changed_at = $8, named_at = $9, deleted_at = $10, version = $11
        WHERE source = $1 AND id = $2 AND version = $11 - 1"
    };
    let written = query(statement)
        .bind(group.source.as_str())
        .bind(group.id.as_str())
        .bind(group.name.as_str())
        .bind(is_there.then(|| key(&group.name)))
        .bind(group.external_id.as_deref())
        .bind(group.external_id.as_deref().filter(|_| is_there))
        .bind(group.created_at.millis())
        .bind(group.changed_at.millis())
        .bind(group.named_at.millis())
        .bind(millis(group.deleted_at))
        .bind(number(group.version))
        .execute(connection)
        .await?;
    changed(written.rows_affected())
}

/// Who joins and leaves a group. Who is in it already stays since then.
pub(super) async fn write_members(connection: &mut Connection, change: &MembersChange) -> Result<(), Failure> {
    for id in &change.removed {
        query("DELETE FROM directory_members WHERE group_id = $1 AND member_id = $2")
            .bind(change.group.as_str())
            .bind(id.as_str())
            .execute(&mut *connection)
            .await?;
    }
    for member in &change.added {
        query(
            "INSERT INTO directory_members (group_id, member_id, is_group, since) VALUES ($1, $2, $3, $4)
            ON CONFLICT (group_id, member_id) DO NOTHING",
        )
        .bind(change.group.as_str())
        .bind(member.id.as_str())
        .bind(i64::from(member.is_group))
        .bind(member.since.millis())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn is_set(row: &Row, column: &str) -> Result<bool, StoreError> {
    count::<u8>(row, column).map(|value| value != 0)
}

fn read_user(row: &Row) -> Result<DirectoryUser, StoreError> {
    Ok(DirectoryUser {
        source: raw(row, "source")?,
        id: raw(row, "id")?,
        external_id: raw(row, "external_id")?,
        user_name: raw(row, "user_name")?,
        active: is_set(row, "active")?,
        details: json(row, "details")?,
        created_at: time(row, "created_at")?,
        changed_at: time(row, "changed_at")?,
        joined_at: time(row, "joined_at")?,
        returned_at: time_or_none(row, "returned_at")?,
        deleted_at: time_or_none(row, "deleted_at")?,
        version: count(row, "version")?,
    })
}

fn read_group(row: &Row) -> Result<DirectoryGroup, StoreError> {
    Ok(DirectoryGroup {
        source: raw(row, "source")?,
        id: raw(row, "id")?,
        external_id: raw(row, "external_id")?,
        name: raw(row, "name")?,
        created_at: time(row, "created_at")?,
        changed_at: time(row, "changed_at")?,
        named_at: time(row, "named_at")?,
        deleted_at: time_or_none(row, "deleted_at")?,
        version: count(row, "version")?,
    })
}

fn read_member(row: &Row) -> Result<DirectoryMember, StoreError> {
    Ok(DirectoryMember {
        id: raw(row, "member_id")?,
        is_group: is_set(row, "is_group")?,
        since: time(row, "since")?,
    })
}

/// The statement and what it is asked with.
fn named<'a>(by: By<'a>, [id, external_id, name]: [&'static str; 3]) -> (&'static str, std::borrow::Cow<'a, str>) {
    match by {
        By::Id(given) => (id, given.into()),
        By::ExternalId(given) => (external_id, given.into()),
        By::Name(given) => (name, key(given).into()),
    }
}

#[async_trait]
impl Directories for SqliteStore {
    async fn directory_user(&self, source: &str, by: By<'_>) -> Result<Option<DirectoryUser>, StoreError> {
        let (statement, given) = named(by, [USER_BY_ID, USER_BY_EXTERNAL_ID, USER_BY_NAME]);
        let query = query(statement).bind(source).bind(given);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_user).transpose()
    }

    async fn directory_user_known(&self, source: &str, subject: &str) -> Result<Option<DirectoryUser>, StoreError> {
        let query = query(KNOWN).bind(source).bind(subject);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_user).transpose()
    }

    async fn directory_users(
        &self,
        source: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DirectoryUser>, StoreError> {
        let query = query(USERS)
            .bind(source)
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit));
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read_user).collect()
    }

    async fn directory_sources(&self) -> Result<Vec<String>, StoreError> {
        let rows = query(SOURCES).fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(|row| raw(row, "source")).collect()
    }

    async fn directory_group(&self, source: &str, by: By<'_>) -> Result<Option<DirectoryGroup>, StoreError> {
        let (statement, given) = named(by, [GROUP_BY_ID, GROUP_BY_EXTERNAL_ID, GROUP_BY_NAME]);
        let query = query(statement).bind(source).bind(given);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_group).transpose()
    }

    async fn directory_groups(
        &self,
        source: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DirectoryGroup>, StoreError> {
        let query = query(GROUPS)
            .bind(source)
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit));
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read_group).collect()
    }

    async fn directory_members(&self, group: &str) -> Result<Vec<DirectoryMember>, StoreError> {
        let query = query(MEMBERS).bind(group);
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read_member).collect()
    }

    async fn directory_groups_of(&self, member: &str) -> Result<Vec<(DirectoryGroup, Timestamp)>, StoreError> {
        let query = query(GROUPS_OF).bind(member);
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter()
            .map(|row| Ok((read_group(row)?, time(row, "member_since")?)))
            .collect()
    }
}
