//! The one task that writes: everything that waits is committed together, so one sync serves many.
//! Owns transactions, savepoints and their answers. Refuses to answer anything before it is on the disk.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{mpsc, oneshot};

use super::dialect::{BEGIN, Connection, Failure};
use super::sql::{audit, commit, memberships, outbox, people, switches};
use super::{Claimed, StoreError};
use crate::domain::{Change, SessionId, Timestamp};
use crate::random::Random;

/// Callers that may wait in the queue; the others wait for a place.
const QUEUE: usize = 1024;

/// Most pieces of work in one transaction: a bound on how long the first of them waits.
const LARGEST_BATCH: usize = 256;

/// One piece of work: done as a whole or not at all.
pub(super) enum Work {
    /// What one event changes.
    Commit(Box<Change>),
    /// Takes outbox rows.
    Claim(outbox::Claim),
    /// Gives back all claims of an owner.
    Release(String),
    /// A step of whoever writes a policy that shuts sessions out.
    Switch(switches::Step),
    /// Notes when it was looked who has something at a place.
    Looked {
        /// The place.
        place: String,
        /// When.
        at: Timestamp,
    },
    /// Forgets idempotency keys used before.
    ForgetOnce(Timestamp),
    /// Forgets sign-in codes that were too old before.
    ForgetCodes(Timestamp),
    /// Notes that a session was used.
    NoteUse {
        /// Which.
        session: SessionId,
        /// When.
        at: Timestamp,
        /// Where its last use was between these.
        between: (Timestamp, Timestamp),
    },
    /// Keeps a policy bundle.
    KeepBundle {
        /// Its hash.
        hash: String,
        /// Its files.
        files: String,
        /// When.
        at: Timestamp,
    },
}

/// What came of it: rows for a claim, none otherwise.
type Answer = Result<Vec<Claimed>, StoreError>;

struct Job {
    work: Work,
    answer: oneshot::Sender<Answer>,
}

/// The way to the task.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    /// Starts the task. It ends when nobody can reach it any more and all work is done.
    pub(super) fn start(options: SqliteConnectOptions) -> Self {
        let (sender, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(write_all(options, jobs));
        Self(sender)
    }

    /// Has `work` done and waits until it is durable. Who stops waiting does not stop the work.
    pub(super) async fn run(&self, work: Work) -> Answer {
        let gone = || StoreError::Unavailable("the writer has stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        self.0.send(Job { work, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn write_all(options: SqliteConnectOptions, mut jobs: mpsc::Receiver<Job>) {
    let random = Random::default();
    let mut idle: Option<Connection> = None;
    let mut batch = Vec::new();
    while jobs.recv_many(&mut batch, LARGEST_BATCH).await > 0 {
        let opened = match idle.take() {
            Some(connection) => Ok(connection),
            None => options.connect().await,
        };
        let outcome = match opened {
            Ok(mut connection) => match write(&mut connection, &random, &batch).await {
                Ok(answers) => {
                    idle = Some(connection);
                    Ok(answers)
                }
                // its transaction may be open still: closing it rolls back, and the next batch gets a fresh one
                Err(error) => {
                    drop(connection.close_hard().await);
                    Err(error)
                }
            },
            Err(error) => Err(error),
        };
        answer(&mut batch, outcome);
    }
    if let Some(connection) = idle {
        // nothing is lost where closing fails: every answer was durable before
        drop(connection.close().await);
    }
}

/// Tells everybody. A failed commit took everything with it, also what went well by itself.
fn answer(batch: &mut Vec<Job>, outcome: Result<Vec<Answer>, sqlx::Error>) {
    match outcome {
        Ok(answers) => {
            for (job, answer) in batch.drain(..).zip(answers) {
                // who asked may have gone
                let _ = job.answer.send(answer);
            }
        }
        Err(error) => {
            let error = Arc::new(error.to_string());
            tracing::error!(error = %error, jobs = batch.len(), "database takes no writes");
            for job in batch.drain(..) {
                let _ = job.answer.send(Err(StoreError::Unavailable(error.to_string())));
            }
        }
    }
}

/// One transaction, a savepoint for each piece of work: what is refused leaves nothing, and hurts nobody else.
async fn write(connection: &mut Connection, random: &Random, batch: &[Job]) -> Result<Vec<Answer>, sqlx::Error> {
    sqlx::query(BEGIN).execute(&mut *connection).await?;
    let mut log = audit::Log::open(connection).await?;
    let mut answers = Vec::with_capacity(batch.len());
    for job in batch {
        sqlx::query("SAVEPOINT work").execute(&mut *connection).await?;
        let before = log;
        match work(connection, random, &mut log, &job.work).await {
            Ok(claimed) => answers.push(Ok(claimed)),
            Err(Failure::Refused(error)) => {
                log = before;
                sqlx::query("ROLLBACK TO SAVEPOINT work")
                    .execute(&mut *connection)
                    .await?;
                answers.push(Err(error));
            }
            Err(Failure::Broken(error)) => return Err(error),
        }
        sqlx::query("RELEASE SAVEPOINT work").execute(&mut *connection).await?;
    }
    sqlx::query("COMMIT").execute(&mut *connection).await?;
    Ok(answers)
}

async fn work(
    connection: &mut Connection,
    random: &Random,
    log: &mut audit::Log,
    work: &Work,
) -> Result<Vec<Claimed>, Failure> {
    match work {
        Work::Commit(change) => commit::apply(connection, random, log, change).await?,
        Work::Claim(claim) => return outbox::claim(connection, claim).await,
        Work::Release(owner) => outbox::release(connection, owner).await?,
        Work::Switch(step) => switches::take(connection, step).await?,
        Work::Looked { place, at } => memberships::note_looked(connection, place, *at).await?,
        Work::NoteUse { session, at, between } => people::note_use(connection, session, *at, *between).await?,
        Work::ForgetCodes(before) => people::forget_codes(connection, *before).await?,
        Work::ForgetOnce(before) => commit::forget_once(connection, *before).await?,
        Work::KeepBundle { hash, files, at } => audit::keep_bundle(connection, hash, files, *at).await?,
    }
    Ok(Vec::new())
}
