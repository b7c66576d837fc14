//! A SCIM 2.0 server (RFC 7643, RFC 7644): what directories push people and groups to.
//! Owns its resources, filters, PATCH and errors. Refuses to keep what nothing here is decided by: a directory sends much
//! more, which is passed over.

pub mod answer;
pub mod attributes;
pub mod discovery;
pub mod error;
pub mod filter;
pub mod groups;
pub mod list;
pub mod patch;
#[cfg(test)]
mod properties;
pub mod resource;
pub mod turns;
pub mod users;

/// RFC 7644, section 3.1.
pub const MEDIA_TYPE: &str = "application/scim+json";

/// RFC 7643, section 8.1.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// RFC 7643, section 8.2.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody.
    User,
    /// A group.
    Group,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Its schema.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::User => USER,
            Self::Group => GROUP,
        }
    }

    /// Where it is, below the beginning of all paths.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }
}
