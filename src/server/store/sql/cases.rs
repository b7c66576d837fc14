//! Cases and lists of requests and grants. A case is read in one transaction, so that its parts fit together.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::{Cases, StoreError};
use super::read::{raw, word};
use super::{grants, locks, memberships, requests};
use crate::domain::{Case, Decision, Grant, GrantId, Held, PersonId, Request, RequestId, TargetName, Timestamp};

/// Pending requests and those with open grants, oldest first.
pub(super) const BESIDE: &str = "SELECT * FROM requests WHERE id IN (
    SELECT id FROM requests WHERE beneficiary_id = $1 AND target = $2 AND state = 'pending'
    UNION
    SELECT request_id FROM grants WHERE beneficiary_id = $1 AND target = $2 AND is_open = 1
) AND id <> $3 ORDER BY seq";

/// Ids are ASCII below '~': the range is the prefix, and an index serves it.
pub(super) const REQUESTS_LIKE: &str = "SELECT id FROM requests WHERE id >= $1 AND id < $1 || '~' ORDER BY id LIMIT $2";

/// The same for grants.
pub(super) const GRANTS_LIKE: &str = "SELECT id FROM grants WHERE id >= $1 AND id < $1 || '~' ORDER BY id LIMIT $2";

/// The inbox.
pub(super) const PENDING: &str = "SELECT * FROM requests WHERE state = 'pending' ORDER BY seq LIMIT $1";

/// What ends last first; what has no end yet last.
pub(super) const OPEN_GRANTS: &str = "SELECT * FROM grants WHERE beneficiary_id = $1 AND is_open = 1
    ORDER BY COALESCE(ends_at, 0) DESC, seq DESC";

/// What somebody had on a target.
pub(super) const GRANTS_SINCE: &str =
    "SELECT * FROM grants WHERE beneficiary_id = $1 AND target = $2 AND activated_at >= $3
    ORDER BY activated_at DESC, seq DESC";

/// Grants that are over, while a credential of them works.
pub(super) const OUTLIVED: &str = "SELECT r.* FROM grants AS g JOIN requests AS r ON r.id = g.request_id
    WHERE g.is_open = 0 AND g.last_credential_at > $2 AND (g.beneficiary_id = $1 OR g.requester_id = $1)
        AND g.kill IS NULL
    ORDER BY r.seq DESC";

/// Grants that are over, and left behind what was there before. The words are the domain's; an index has them too.
pub(super) const LEFT_BEHIND: &str = "SELECT r.* FROM grants AS g JOIN requests AS r ON r.id = g.request_id
    WHERE g.is_open = 0 AND g.detail = 'access remains: it was there before jit gave it' AND g.ended_at > $2
        AND (g.beneficiary_id = $1 OR g.requester_id = $1)
    ORDER BY r.seq DESC";

/// Everything that belongs to `request`, with what stands beside it.
async fn load(connection: &mut Connection, request: Request) -> Result<Case, StoreError> {
    let decisions = requests::decisions(connection, request.id()).await?;
    let grant = grants::of(connection, request.id()).await?;
    let (beneficiary, target) = (&request.body.beneficiary, &request.body.target);
    let beside = beside(connection, beneficiary, target, Some(request.id())).await?;
    let extended = match &request.body.extends {
        Some(extends) => grants::one(connection, &extends.grant).await?,
        None => None,
    };
    let people = [&request.body.requester, beneficiary];
    let locks = locks::of_a_case(connection, target, people, Some(&request)).await?;
    let membership = match request.body.membership() {
        Some(name) => memberships::one(connection, &name).await?,
        None => None,
    };
    Ok(Case {
        request: Some(request),
        decisions,
        grant,
        beside,
        extended,
        locks,
        membership,
    })
}

/// Pending requests and those with open grants, oldest first, except one.
async fn beside(
    connection: &mut Connection,
    beneficiary: &PersonId,
    target: &TargetName,
    except: Option<&RequestId>,
) -> Result<Vec<Held>, StoreError> {
    let rows = query(BESIDE)
        .bind(beneficiary.as_str())
        .bind(target.as_str())
        .bind(except.map_or("", RequestId::as_str))
        .fetch_all(&mut *connection)
        .await
        .map_err(meaning)?;
    let mut held = Vec::with_capacity(rows.len());
    for row in &rows {
        // a new request must know all that it stands beside; one that is to end must not wait for a neighbour's row
        let request = match except {
            None => requests::read(row)?,
            Some(_) => match readable(row) {
                Some(request) => request,
                None => continue,
            },
        };
        let grant = grants::of(connection, request.id()).await?;
        held.push(Held { request, grant });
    }
    Ok(held)
}

fn read_requests(rows: &[Row]) -> Result<Vec<Request>, StoreError> {
    rows.iter().map(requests::read).collect()
}

/// One row that cannot be read holds up nobody else's: it is reported and left out.
fn readable(row: &Row) -> Option<Request> {
    requests::read(row)
        .inspect_err(|error| {
            let id: &str = raw(row, "id").unwrap_or_default();
            tracing::error!(request = id, error = %error, "request cannot be read, left out");
        })
        .ok()
}

fn read_grants(rows: &[Row]) -> Result<Vec<Grant>, StoreError> {
    rows.iter().map(grants::read).collect()
}

impl SqliteStore {
    /// Where a page that continues after `before` begins; none where that request is not known.
    async fn position(&self, before: Option<&RequestId>) -> Result<Option<i64>, StoreError> {
        let Some(before) = before else {
            return Ok(Some(i64::MAX));
        };
        let row = query("SELECT seq FROM requests WHERE id = $1")
            .bind(before.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        row.map(|row| raw(&row, "seq")).transpose()
    }
}

/// Pending, or its grant is open. Each branch has an index of its own, so history costs nothing.
pub(super) const OPEN_PAGE: &str = "SELECT * FROM requests WHERE seq IN (
    SELECT seq FROM requests WHERE requester_id = $1 AND state = 'pending'
    UNION SELECT seq FROM requests WHERE beneficiary_id = $1 AND state = 'pending'
    UNION SELECT r.seq FROM grants AS g JOIN requests AS r ON r.id = g.request_id
        WHERE g.beneficiary_id = $1 AND g.is_open = 1
    UNION SELECT r.seq FROM grants AS g JOIN requests AS r ON r.id = g.request_id
        WHERE g.requester_id = $1 AND g.is_open = 1
) AND seq < $2 ORDER BY seq DESC LIMIT $3";

/// Each side reads no more than a page from its index.
pub(super) const PAGE: &str = "SELECT * FROM requests WHERE seq IN (
    SELECT seq FROM (
        SELECT seq FROM requests WHERE requester_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3
    ) AS made
    UNION SELECT seq FROM (
        SELECT seq FROM requests WHERE beneficiary_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3
    ) AS received
) ORDER BY seq DESC LIMIT $3";

#[async_trait]
impl Cases for SqliteStore {
    async fn case(&self, request: &RequestId) -> Result<Option<Case>, StoreError> {
        let mut transaction = self.readers.begin().await.map_err(meaning)?;
        match requests::one(&mut transaction, request).await? {
            Some(request) => load(&mut transaction, request).await.map(Some),
            None => Ok(None),
        }
    }

    async fn case_of_grant(&self, grant: &GrantId) -> Result<Option<Case>, StoreError> {
        let mut transaction = self.readers.begin().await.map_err(meaning)?;
        let row = query("SELECT * FROM requests WHERE id = (SELECT request_id FROM grants WHERE id = $1)")
            .bind(grant.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(meaning)?;
        match row {
            Some(row) => load(&mut transaction, requests::read(&row)?).await.map(Some),
            None => Ok(None),
        }
    }

    async fn case_to_file(&self, beneficiary: &PersonId, target: &TargetName) -> Result<Case, StoreError> {
        let mut transaction = self.readers.begin().await.map_err(meaning)?;
        let beside = beside(&mut transaction, beneficiary, target, None).await?;
        let locks = locks::of_a_case(&mut transaction, target, [beneficiary, beneficiary], None).await?;
        Ok(Case {
            beside,
            locks,
            ..Case::default()
        })
    }

    async fn requests_like(&self, prefix: &str, limit: u32) -> Result<Vec<RequestId>, StoreError> {
        let rows = query(REQUESTS_LIKE)
            .bind(prefix)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        rows.iter().map(|row| word(row, "id")).collect()
    }

    async fn grants_like(&self, prefix: &str, limit: u32) -> Result<Vec<GrantId>, StoreError> {
        let rows = query(GRANTS_LIKE)
            .bind(prefix)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        rows.iter().map(|row| word(row, "id")).collect()
    }

    async fn requests_of(
        &self,
        person: &PersonId,
        open_only: bool,
        before: Option<&RequestId>,
        limit: u32,
    ) -> Result<Vec<Request>, StoreError> {
        let Some(position) = self.position(before).await? else {
            return Ok(Vec::new());
        };
        let rows = query(if open_only { OPEN_PAGE } else { PAGE })
            .bind(person.as_str())
            .bind(position)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        read_requests(&rows)
    }

    async fn pending(&self, limit: u32) -> Result<Vec<Request>, StoreError> {
        let rows = query(PENDING)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        Ok(rows.iter().filter_map(readable).collect())
    }

    async fn decisions(&self, request: &RequestId) -> Result<Vec<Decision>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(meaning)?;
        requests::decisions(&mut connection, request).await
    }

    async fn grant_of(&self, request: &RequestId) -> Result<Option<Grant>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(meaning)?;
        grants::of(&mut connection, request).await
    }

    async fn open_grants(&self, person: &PersonId) -> Result<Vec<Grant>, StoreError> {
        let rows = query(OPEN_GRANTS)
            .bind(person.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        read_grants(&rows)
    }

    async fn outlived(&self, person: &PersonId, now: Timestamp) -> Result<Vec<Request>, StoreError> {
        let rows = query(OUTLIVED)
            .bind(person.as_str())
            .bind(now.millis())
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        read_requests(&rows)
    }

    async fn left_behind(&self, person: &PersonId, since: Timestamp) -> Result<Vec<Request>, StoreError> {
        let rows = query(LEFT_BEHIND)
            .bind(person.as_str())
            .bind(since.millis())
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        read_requests(&rows)
    }

    async fn grants_since(
        &self,
        beneficiary: &PersonId,
        target: &TargetName,
        since: Timestamp,
    ) -> Result<Vec<Grant>, StoreError> {
        let rows = query(GRANTS_SINCE)
            .bind(beneficiary.as_str())
            .bind(target.as_str())
            .bind(since.millis())
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        read_grants(&rows)
    }
}
