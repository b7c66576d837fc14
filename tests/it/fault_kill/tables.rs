//! What stands in the backend's database, read without any code of the backend.

use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

/// A line of evidence with its payload.
pub struct Event {
    pub seq: i64,
    pub ts: i64,
    pub kind: String,
    pub actor: String,
    pub request: Option<String>,
    pub bundle_hash: Option<String>,
    pub payload_hash: String,
    pub leaf_hash: String,
    /// Hex.
    pub salt: String,
    /// As it was hashed.
    pub payload: String,
}

impl Event {
    /// What its payload says under `name` in the details.
    pub fn detail(&self, name: &str) -> String {
        let payload: Value = serde_json::from_str(&self.payload).unwrap();
        payload["details"][name].as_str().unwrap_or_default().to_owned()
    }
}

/// A request: id, state, version.
pub struct Request {
    pub id: String,
    pub state: String,
    pub version: i64,
}

/// A grant; times in milliseconds since 1970.
#[derive(Clone)]
pub struct Grant {
    pub id: String,
    pub request: String,
    pub state: String,
    pub version: i64,
    pub activated_at: Option<i64>,
    pub ends_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub last_credential_at: Option<i64>,
}

/// An outbox row.
pub struct Left {
    pub kind: String,
    pub grant: Option<String>,
}

/// Everything that is looked at.
pub struct Tables {
    pub events: Vec<Event>,
    pub requests: Vec<Request>,
    pub grants: Vec<Grant>,
    /// (request, who decided).
    pub decisions: Vec<(String, String)>,
    pub outbox: Vec<Left>,
}

impl Tables {
    /// Reads them all.
    pub fn read(database: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(database);
            let mut connection = options.connect().await.unwrap();
            let tables = Self::select(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            tables
        })
    }

    async fn select(c: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let events = sqlx::query("SELECT * FROM audit_events JOIN audit_payloads USING (seq) ORDER BY seq");
        let requests = sqlx::query("SELECT id, state, version FROM requests");
        let decisions = sqlx::query("SELECT request_id, person_id FROM decisions");
        Ok(Self {
            events: events.fetch_all(&mut *c).await?.iter().map(event).collect(),
            requests: requests.fetch_all(&mut *c).await?.iter().map(request).collect(),
            grants: sqlx::query("SELECT * FROM grants")
                .fetch_all(&mut *c)
                .await?
                .iter()
                .map(grant)
                .collect(),
            decisions: decisions
                .fetch_all(&mut *c)
                .await?
                .iter()
                .map(|r| (r.get(0), r.get(1)))
                .collect(),
            outbox: sqlx::query("SELECT * FROM outbox")
                .fetch_all(&mut *c)
                .await?
                .iter()
                .map(left)
                .collect(),
        })
    }
}

fn event(row: &SqliteRow) -> Event {
    Event {
        seq: row.get("seq"),
        ts: row.get("ts"),
        kind: row.get("type"),
        actor: row.get("actor"),
        request: row.get("request"),
        bundle_hash: row.get("bundle_hash"),
        payload_hash: row.get("payload_hash"),
        leaf_hash: row.get("leaf_hash"),
        salt: row.get("salt"),
        payload: row.get("payload"),
    }
}

fn request(row: &SqliteRow) -> Request {
    Request {
        id: row.get("id"),
        state: row.get("state"),
        version: row.get("version"),
    }
}

fn grant(row: &SqliteRow) -> Grant {
    Grant {
        id: row.get("id"),
        request: row.get("request_id"),
        state: row.get("state"),
        version: row.get("version"),
        activated_at: row.get("activated_at"),
        ends_at: row.get("ends_at"),
        ended_at: row.get("ended_at"),
        last_credential_at: row.get("last_credential_at"),
    }
}

fn left(row: &SqliteRow) -> Left {
    Left {
        kind: row.get("kind"),
        grant: row.get("grant_id"),
    }
}
