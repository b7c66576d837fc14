//! Whom a person is in the identity store: looked up once, carried by id from then on.
//! Owns the look-up. Refuses to guess: nobody and more than one are both refused.

use aws_sdk_identitystore::types::{AlternateIdentifier, UniqueAttribute};
use aws_smithy_types::Document;

use super::IdentityCenter;
use super::errors::{Asked, Failure};
use super::governor::Caller;
use super::listing::next;
use super::quota::Step;
use crate::domain::text::shown;
use crate::domain::{FoundBy, Instance};
use crate::server::provider::ProviderError;

/// The most users of a page.
const PAGE: i32 = 100;

/// `pattern` with the person's name and subject, each put in once: a name that looks like a placeholder stays a name.
fn filled(pattern: &str, name: &str, subject: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + name.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let (put, length) = if from.starts_with("{name}") {
            (name, "{name}".len())
        } else if from.starts_with("{subject}") {
            (subject, "{subject}".len())
        } else {
            ("{", 1)
        };
        text.push_str(put);
        rest = &from[length..];
    }
    text.push_str(rest);
    text
}

impl IdentityCenter {
    pub(super) async fn find_user(
        &self,
        caller: &Caller,
        instance: &Instance,
        name: &str,
        subject: &str,
    ) -> Result<String, ProviderError> {
        let wanted = filled(&instance.pattern, name, subject);
        let (path, called) = match instance.found_by {
            FoundBy::UserName => ("userName", "user name"),
            FoundBy::EMail => ("emails.value", "e-mail"),
        };
        let store = &instance.identity_store;
        let nobody = || {
            ProviderError::Refused(format!(
                "identity store {store} has no user with the {called} {}; add the person there, or correct \
                 `user_name` or `e_mail` in [identity-center]",
                shown(&wanted)
            ))
        };
        if wanted.trim().is_empty() {
            return Err(nobody());
        }
        let found = match self.id_of(caller, instance, path, &wanted).await {
            Ok(id) => id,
            Err(Failure::Missing(_)) => {
                self.require_instance(caller, instance).await?;
                return Err(nobody());
            }
            Err(failure) => return Err(failure.into()),
        };
        match instance.found_by {
            FoundBy::UserName => Ok(found),
            // AWS answers with one of them
            FoundBy::EMail => {
                let all = self.with_e_mail(caller, instance, &wanted).await?;
                match all.as_slice() {
                    [one] if *one == found => Ok(found),
                    [] | [_] => Err(nobody()),
                    [_, _, ..] => Err(ProviderError::Refused(format!(
                        "more than one user of identity store {store} has the e-mail {}; give each their own, or let \
                         people be found by user name in the catalogue",
                        shown(&wanted)
                    ))),
                }
            }
        }
    }

    async fn id_of(&self, caller: &Caller, instance: &Instance, path: &str, wanted: &str) -> Result<String, Failure> {
        let about = format!("user {}", shown(wanted));
        let asked = Asked {
            action: "identitystore:GetUserId",
            about: &about,
        };
        let attribute = UniqueAttribute::builder()
            .attribute_path(path)
            .attribute_value(Document::String(wanted.to_owned()))
            .build()
            .map_err(|error| ProviderError::Refused(error.to_string()))?;
        let client = self.clients.of(&instance.region).await.store;
        let call = client
            .get_user_id()
            .identity_store_id(&instance.identity_store)
            .alternate_identifier(AlternateIdentifier::UniqueAttribute(attribute));
        let answer = caller
            .call(&self.store, Step::Begin, &asked, || call.clone().send())
            .await?;
        if answer.user_id().is_empty() {
            let half = format!("the identity store answered without the id of {about}");
            return Err(ProviderError::Unreachable(half).into());
        }
        Ok(answer.user_id().to_owned())
    }

    /// The ids of all users with this e-mail, in whatever case it is written: the list is read until there are two.
    async fn with_e_mail(
        &self,
        caller: &Caller,
        instance: &Instance,
        wanted: &str,
    ) -> Result<Vec<String>, ProviderError> {
        let asked = Asked {
            action: "identitystore:ListUsers",
            about: &instance.identity_store,
        };
        let client = self.clients.of(&instance.region).await.store;
        let call = client
            .list_users()
            .identity_store_id(&instance.identity_store)
            .max_results(PAGE);
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let call = call.clone().set_next_token(token.clone());
            let page = caller
                .call(&self.store, Step::GoOn, &asked, || call.clone().send())
                .await?;
            let has_it = |user: &&aws_sdk_identitystore::types::User| {
                let mails = user.emails().iter().filter_map(|mail| mail.value());
                mails
                    .into_iter()
                    .any(|mail| mail.to_lowercase() == wanted.to_lowercase())
            };
            let those = page.users().iter().filter(has_it);
            found.extend(those.map(|user| user.user_id().to_owned()));
            token = next(&asked, token, page.next_token())?;
            if token.is_none() || found.len() > 1 {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_takes_name_and_subject_as_they_are() {
        for (pattern, text) in [
            ("{name}", "alice"),
            ("{name}@corp.example", "alice@corp.example"),
            ("{subject}", "{name}"),
            ("{subject}/{name}", "{name}/alice"),
            ("{other}{name", "{other}{name"),
            ("", ""),
        ] {
            assert_eq!(filled(pattern, "alice", "{name}"), text, "{pattern}");
        }
    }
}
