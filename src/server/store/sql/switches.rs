//! What is to stand in the policies that shut sessions out, and the right to write one.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, meaning};
use super::super::sqlite::SqliteStore;
use super::super::writer::Work;
use super::super::{StoreError, Switch, Switches};
use super::read::{count, json, millis, number, time_or_none, word};
use crate::domain::{Kill, Killed, PersonId, Timestamp};

pub(super) const SWITCH: &str = "SELECT * FROM kill_switches WHERE role_arn = $1";
pub(super) const KILLED: &str = "SELECT request_id, kill FROM grants WHERE killed_role = $1";

pub(super) const KILLED_OF: &str = "SELECT kill FROM grants WHERE killed_role = $1 AND beneficiary_id = $2";

/// One step of whoever writes a policy.
#[derive(Debug)]
pub(in super::super) struct Step {
    role_arn: String,
    owner: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Hold {
        now: Timestamp,
        until: Timestamp,
    },
    Note {
        version: u64,
        denied_before: Option<Timestamp>,
    },
    Leave,
}

/// What is to stand in the policy of `role_arn` has changed.
pub(super) async fn changed(connection: &mut Connection, role_arn: &str) -> Result<(), Failure> {
    query(
        "INSERT INTO kill_switches (role_arn, version) VALUES ($1, 1)
        ON CONFLICT (role_arn) DO UPDATE SET version = kill_switches.version + 1",
    )
    .bind(role_arn)
    .execute(connection)
    .await?;
    Ok(())
}

/// Does `step`; a right that somebody else has is a conflict.
pub(in super::super) async fn take(connection: &mut Connection, step: &Step) -> Result<(), Failure> {
    let query = match &step.what {
        What::Hold { now, until } => query(
            "UPDATE kill_switches SET held_by = $2, held_until = $3, written = 0
            WHERE role_arn = $1 AND (held_by IS NULL OR held_by = $2 OR held_until <= $4)",
        )
        .bind(step.role_arn.as_str())
        .bind(step.owner.as_str())
        .bind(until.millis())
        .bind(now.millis()),
        What::Note { version, denied_before } => {
            query("UPDATE kill_switches SET written = $3, denied_before = $4 WHERE role_arn = $1 AND held_by = $2")
                .bind(step.role_arn.as_str())
                .bind(step.owner.as_str())
                .bind(number(*version))
                .bind(millis(*denied_before))
        }
        What::Leave => {
            query("UPDATE kill_switches SET held_by = NULL, held_until = NULL WHERE role_arn = $1 AND held_by = $2")
                .bind(step.role_arn.as_str())
                .bind(step.owner.as_str())
        }
    };
    match query.execute(connection).await?.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

impl SqliteStore {
    async fn step(&self, role_arn: &str, owner: &str, what: What) -> Result<(), StoreError> {
        let step = Step {
            role_arn: role_arn.to_owned(),
            owner: owner.to_owned(),
            what,
        };
        self.writer.run(Work::Switch(step)).await.map(drop)
    }
}

#[async_trait]
impl Switches for SqliteStore {
    async fn switch(&self, role_arn: &str) -> Result<Switch, StoreError> {
        let row = query(SWITCH)
            .bind(role_arn)
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        let Some(row) = row else { return Ok(Switch::default()) };
        Ok(Switch {
            version: count(&row, "version")?,
            written: count(&row, "written")?,
            denied_before: time_or_none(&row, "denied_before")?,
        })
    }

    async fn killed(&self, role_arn: &str) -> Result<Vec<Killed>, StoreError> {
        let rows = query(KILLED)
            .bind(role_arn)
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        let killed = |row| {
            Ok(Killed {
                request: word(row, "request_id")?,
                since: json::<Kill>(row, "kill")?.since,
            })
        };
        let mut killed = rows.iter().map(killed).collect::<Result<Vec<_>, StoreError>>()?;
        killed.sort_by(|a, b| (a.since, &a.request).cmp(&(b.since, &b.request)));
        Ok(killed)
    }

    async fn killed_of(&self, role_arn: &str, beneficiary: &PersonId) -> Result<Option<(u32, Timestamp)>, StoreError> {
        let rows = query(KILLED_OF)
            .bind(role_arn)
            .bind(beneficiary.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        let ends = rows.iter().map(|row| Ok(json::<Kill>(row, "kill")?.until));
        let ends = ends.collect::<Result<Vec<_>, StoreError>>()?;
        let count = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        Ok(ends.into_iter().min().map(|first| (count, first)))
    }

    async fn hold_switch(
        &self,
        role_arn: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(role_arn, owner, What::Hold { now, until }).await
    }

    async fn note_written(
        &self,
        role_arn: &str,
        owner: &str,
        version: u64,
        denied_before: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let what = What::Note { version, denied_before };
        self.step(role_arn, owner, what).await
    }

    async fn leave_switch(&self, role_arn: &str, owner: &str) -> Result<(), StoreError> {
        match self.step(role_arn, owner, What::Leave).await {
            // somebody else has it by now
            Err(StoreError::Conflict) => Ok(()),
            left => left,
        }
    }
}
