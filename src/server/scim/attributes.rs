//! The attributes that are kept, as one table: what they are called, what they hold, who may write them.
//! Owns how a value is read. Refuses a value of another type; passes over what the table does not have.

use serde_json::{Map, Value};

use super::Kind;
use super::error::{ScimError, ScimType};
use crate::domain::text::is_unsafe_to_show;

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Yes or no.
    Flag,
    /// An instant.
    Time,
    /// The address of another resource, of one of these kinds.
    Reference(&'static [&'static str]),
    /// Further attributes.
    Complex,
}

/// Who may write an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// The directory.
    ReadWrite,
    /// The directory, once.
    Immutable,
    /// Nobody but us.
    ReadOnly,
}

/// An attribute.
#[derive(Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it is, in words.
    pub about: &'static str,
    /// What it holds.
    pub holds: Type,
    /// Whether it holds several.
    pub several: bool,
    /// Whether it must be there.
    pub required: bool,
    /// Whether case matters.
    pub exact: bool,
    /// Whether no other resource has the same.
    pub unique: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// Whether it is shown, and nothing hangs on it: what does not fit is passed over there.
    pub shown_only: bool,
    /// What it is made of.
    pub parts: &'static [Attribute],
}

const fn text(name: &'static str, about: &'static str) -> Attribute {
    Attribute {
        name,
        about,
        holds: Type::Text,
        several: false,
        required: false,
        exact: false,
        unique: false,
        mutability: Mutability::ReadWrite,
        shown_only: false,
        parts: &[],
    }
}

const fn shown(name: &'static str, about: &'static str) -> Attribute {
    Attribute {
        shown_only: true,
        ..text(name, about)
    }
}

const fn complex(name: &'static str, about: &'static str, parts: &'static [Attribute]) -> Attribute {
    Attribute {
        holds: Type::Complex,
        parts,
        ..text(name, about)
    }
}

const fn only_ours(attribute: Attribute) -> Attribute {
    Attribute {
        mutability: Mutability::ReadOnly,
        exact: true,
        ..attribute
    }
}

const fn time(name: &'static str, about: &'static str) -> Attribute {
    Attribute {
        holds: Type::Time,
        ..only_ours(text(name, about))
    }
}

/// What every resource has (RFC 7643, section 3.1).
pub const COMMON: &[Attribute] = &[
    only_ours(text("id", "Our id of it.")),
    Attribute {
        exact: true,
        ..text(
            "externalId",
            "The directory's own id: for people, the subject by which their issuer names them.",
        )
    },
    Attribute {
        mutability: Mutability::ReadOnly,
        ..complex(
            "meta",
            "When it came and was changed.",
            &[
                only_ours(text("resourceType", "Its kind.")),
                time("created", "When it came."),
                time("lastModified", "When it was changed last."),
                only_ours(text("location", "Its address.")),
                only_ours(text("version", "Its ETag.")),
            ],
        )
    },
];

/// What somebody has.
pub const USER: &[Attribute] = &[
    Attribute {
        required: true,
        unique: true,
        ..text("userName", "As the directory calls them.")
    },
    Attribute {
        shown_only: true,
        ..complex(
            "name",
            "Their name.",
            &[
                shown("formatted", "All of it."),
                shown("familyName", "Family name."),
                shown("givenName", "Given name."),
            ],
        )
    },
    shown("displayName", "As people see them."),
    Attribute {
        holds: Type::Flag,
        // nobody is neither: it may be left out, and not be taken away
        required: true,
        ..text(
            "active",
            "Whether they are still there: left out at first they are. Who is not loses sessions, votes and grants.",
        )
    },
    Attribute {
        several: true,
        shown_only: true,
        ..complex(
            "emails",
            "Mail addresses, for display alone.",
            &[
                shown("value", "The address."),
                shown("type", "What for."),
                Attribute {
                    holds: Type::Flag,
                    ..shown("primary", "Whether it is the first of them.")
                },
            ],
        )
    },
];

/// What a group has.
pub const GROUP: &[Attribute] = &[
    Attribute {
        required: true,
        unique: true,
        ..text("displayName", "Its name: one that the token may write.")
    },
    Attribute {
        several: true,
        ..complex(
            "members",
            "People and groups of the same directory.",
            &[
                Attribute {
                    exact: true,
                    mutability: Mutability::Immutable,
                    ..text("value", "Our id of it.")
                },
                Attribute {
                    holds: Type::Reference(&["User", "Group"]),
                    exact: true,
                    mutability: Mutability::Immutable,
                    ..text("$ref", "Its address.")
                },
            ],
        )
    },
];

/// Longest text that is kept, in characters.
const LONGEST: usize = 1_000;
/// Values of an attribute that is only shown; what is beyond is passed over.
pub const MOST_SHOWN: usize = 50;

/// Those of a kind of resource.
pub fn of(kind: Kind) -> impl Iterator<Item = &'static Attribute> {
    let own = match kind {
        Kind::User => USER,
        Kind::Group => GROUP,
    };
    COMMON.iter().chain(own)
}

/// `name` without the schema before it.
fn own_name(kind: Kind, name: &str) -> &str {
    let schema = kind.schema();
    match name.get(..schema.len()) {
        Some(before) if before.eq_ignore_ascii_case(schema) => name[schema.len()..].strip_prefix(':').unwrap_or(name),
        _ => name,
    }
}

/// Whether `name` speaks of who is still there, however it is written: that is understood or refused, never passed over.
pub fn names_active(kind: Kind, name: &str) -> bool {
    let own = own_name(kind, name.trim());
    let word = own
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
        .next();
    find(kind, "active").is_some() && word.is_some_and(|word| word.eq_ignore_ascii_case("active"))
}

/// The one of this name, whatever its case; none that is kept has it otherwise.
pub fn find(kind: Kind, name: &str) -> Option<&'static Attribute> {
    of(kind).find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

impl Attribute {
    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<&'static Attribute> {
        self.parts.iter().find(|part| part.name.eq_ignore_ascii_case(name))
    }

    /// Whether a directory may write it.
    pub fn is_writable(&self) -> bool {
        self.mutability != Mutability::ReadOnly
    }

    /// `value` as it is kept; nothing where it says that there is none.
    ///
    /// # Errors
    /// [`ScimType::InvalidValue`].
    pub fn read(&self, value: &Value) -> Result<Option<Value>, ScimError> {
        if !self.several {
            return self.read_one(value);
        }
        let all = match value {
            Value::Array(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        let most = if self.shown_only { MOST_SHOWN } else { usize::MAX };
        let mut read = Vec::new();
        for one in all {
            read.extend(self.read_one(one)?);
        }
        read.truncate(most);
        Ok((!read.is_empty()).then_some(Value::Array(read)))
    }

    /// One of several, or the only one.
    ///
    /// # Errors
    /// [`ScimType::InvalidValue`].
    pub fn read_one(&self, value: &Value) -> Result<Option<Value>, ScimError> {
        let wrong = |what: &str| ScimError::Wrong(ScimType::InvalidValue, format!("{} is {what}", self.name));
        match (self.holds, value) {
            // whoever is there is never left unsaid by half
            (Type::Flag, Value::Null) if self.required => Err(wrong("neither true nor false")),
            (_, Value::Null) => Ok(None),
            (Type::Complex, Value::Object(parts)) => {
                let mut read = Map::new();
                for (name, value) in parts {
                    let part = self.part(name).filter(|part| part.is_writable());
                    if let Some(part) = part
                        && let Some(value) = part.read(value)?
                    {
                        read.insert(part.name.to_owned(), value);
                    }
                }
                Ok((!read.is_empty()).then_some(Value::Object(read)))
            }
            (Type::Complex, _) => Err(wrong("no object")),
            (Type::Flag, Value::Bool(_)) => Ok(Some(value.clone())),
            // Entra says it so
            (Type::Flag, Value::String(word)) if word.eq_ignore_ascii_case("true") => Ok(Some(Value::Bool(true))),
            (Type::Flag, Value::String(word)) if word.eq_ignore_ascii_case("false") => Ok(Some(Value::Bool(false))),
            (Type::Flag, _) => Err(wrong("neither true nor false")),
            (Type::Text, Value::String(text)) if self.shown_only => {
                let kept = text.chars().filter(|c| !is_unsafe_to_show(*c)).take(LONGEST);
                Ok(Some(Value::String(kept.collect())))
            }
            (Type::Text | Type::Reference(_) | Type::Time, Value::String(text)) => {
                match text.chars().count() <= LONGEST {
                    true if text.chars().any(is_unsafe_to_show) => Err(wrong("no text that can be shown")),
                    true => Ok(Some(value.clone())),
                    false => Err(wrong("too long")),
                }
            }
            (Type::Text | Type::Reference(_) | Type::Time, _) => Err(wrong("no text")),
        }
    }
}

/// A body in JSON.
///
/// # Errors
/// [`ScimType::InvalidSyntax`].
pub fn parse(body: &[u8]) -> Result<Value, ScimError> {
    let wrong = |_| ScimError::Wrong(ScimType::InvalidSyntax, "the body cannot be read as JSON".to_owned());
    serde_json::from_slice(body).map_err(wrong)
}

/// All of `sent` that is kept and that a directory may write, itself or under the name of its schema.
///
/// # Errors
/// [`ScimType::InvalidSyntax`], [`ScimType::InvalidValue`].
pub fn read_all(kind: Kind, sent: &Value) -> Result<Map<String, Value>, ScimError> {
    let mut read = Map::new();
    read_into(kind, sent, &mut read)?;
    Ok(read)
}

fn read_into(kind: Kind, sent: &Value, read: &mut Map<String, Value>) -> Result<(), ScimError> {
    let wrong = |kind: ScimType, what: &str| Err(ScimError::Wrong(kind, what.to_owned()));
    let Value::Object(sent) = sent else {
        return wrong(ScimType::InvalidSyntax, "the body is no object");
    };
    for (name, value) in sent {
        if name.eq_ignore_ascii_case(kind.schema()) {
            read_into(kind, value, read)?;
            continue;
        }
        let Some(attribute) = find(kind, own_name(kind, name)) else {
            match names_active(kind, name) {
                true => return wrong(ScimType::InvalidValue, "active is not understood"),
                false => continue,
            }
        };
        if attribute.is_writable()
            && let Some(value) = attribute.read(value)?
        {
            let before = read.insert(attribute.name.to_owned(), value.clone());
            if before.is_some_and(|before| before != value) {
                return wrong(ScimType::InvalidValue, &format!("{} is said twice", attribute.name));
            }
        }
    }
    Ok(())
}
