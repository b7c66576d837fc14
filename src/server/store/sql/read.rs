//! From columns to domain values. Every column that cannot be read is an error that names it, never a panic.

use serde::de::value::{Error as WordError, StringDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use sqlx::{ColumnIndex, Decode, Row as _, Type};

use super::super::StoreError;
use super::super::dialect::{Db, Row, meaning};
use crate::domain::Timestamp;

fn unreadable(column: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable(format!("column {column}: {why}"))
}

/// A column as the database has it.
pub(super) fn raw<'r, T>(row: &'r Row, column: &str) -> Result<T, StoreError>
where
    T: Decode<'r, Db> + Type<Db>,
    for<'c> &'c str: ColumnIndex<Row>,
{
    row.try_get(column).map_err(meaning)
}

/// A value that is one word of text: an id, a state, a name. Its own parser checks it.
pub(super) fn word<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, StoreError> {
    to_word(raw(row, column)?).map_err(|error| unreadable(column, error))
}

/// The same where there may be none.
pub(super) fn word_or_none<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = raw(row, column)?;
    text.map(to_word).transpose().map_err(|error| unreadable(column, error))
}

fn to_word<T: DeserializeOwned>(text: String) -> Result<T, WordError> {
    let text: StringDeserializer<WordError> = text.into_deserializer();
    T::deserialize(text)
}

/// A value that was frozen as JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, StoreError> {
    let text: &str = raw(row, column)?;
    serde_json::from_str(text).map_err(|error| unreadable(column, error))
}

/// The same where there may be none.
pub(super) fn json_or_none<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = raw(row, column)?;
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| unreadable(column, error))
}

/// An instant in milliseconds.
pub(super) fn time(row: &Row, column: &str) -> Result<Timestamp, StoreError> {
    raw(row, column).map(Timestamp::from_millis)
}

/// The same where there may be none.
pub(super) fn time_or_none(row: &Row, column: &str) -> Result<Option<Timestamp>, StoreError> {
    raw(row, column).map(|millis: Option<i64>| millis.map(Timestamp::from_millis))
}

/// A count, a version, an index.
pub(super) fn count<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<T, StoreError> {
    let number: i64 = raw(row, column)?;
    T::try_from(number).map_err(|_| unreadable(column, format_args!("{number} is out of range")))
}

/// An unsigned number as a column takes it. Versions and indexes never reach 2^63.
pub(super) fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// Frozen values as JSON text.
pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// Milliseconds of an instant that there may be.
pub(super) fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::millis)
}
