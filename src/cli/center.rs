//! Signing in to Identity Center: for `login --identity-center`, and after an approval where no token is there.
//! Owns what a person reads meanwhile. Refuses to show a page that is not AWS's: the client checks it.

use serde::Serialize;

use super::context::{Ctx, Desk};
use crate::client::{Center, Means, SignedInThere, Step, listed_at, means};
use crate::domain::request::Body;
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};
use crate::ui::State;
use crate::wire::RequestView;

#[derive(Serialize)]
struct Signed<'a> {
    start_url: &'a str,
    region: &'a str,
    expires_at: crate::domain::time::Timestamp,
}

#[derive(Serialize)]
struct Asked<'a> {
    url: &'a str,
    user_code: &'a str,
    expires_in_s: u32,
}

/// Signs in to the instance that `target` is of, or to the only one there is.
pub(super) fn login(ctx: &Ctx, target: Option<&str>, no_browser: bool) -> Result<()> {
    let target = target.map(TargetName::parse).transpose()?;
    let desk = ctx.desk()?;
    let center = named(&desk, target.as_ref())?;
    let again = target.map_or_else(
        || "jit login --identity-center".to_owned(),
        |target| format!("jit login --identity-center {target}"),
    );
    sign_in(ctx, &desk, &center, no_browser, &again)
}

/// Signs in to the instance that the grant of `request` is of.
pub(super) fn sign_in_for(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<()> {
    let target = TargetName::parse(&request.target)?;
    let center = of(request).ok_or_else(|| not_there(&target))??;
    sign_in(
        ctx,
        desk,
        &center,
        false,
        &format!("jit login --identity-center {target}"),
    )
}

/// Whether an error is one of fetching from Identity Center: access is there then.
pub(super) fn is_its_own(error: &Error) -> bool {
    error.code.starts_with("identity_center.")
}

fn sign_in(ctx: &Ctx, desk: &Desk, center: &Center, no_browser: bool, again: &str) -> Result<()> {
    let means = match no_browser {
        true => Means::Code,
        false => Means::Browser(ctx.env.text("BROWSER")),
    };
    let mut say = |step: &Step<'_>| said(ctx, step, again);
    let (client, picked) = (&desk.client, &desk.picked);
    let signed_in = client
        .sign_in_to(&desk.backend, picked, center, &means, &mut say)
        .map_err(|error| interrupted(error, again))?;
    print(ctx, desk, center, &signed_in)
}

fn said(ctx: &Ctx, step: &Step<'_>, again: &str) -> Result<()> {
    match step {
        Step::Opening => {
            let page = "Sign in to Identity Center in the browser that opens now.";
            ctx.ui.note_marked(State::Waiting, page);
            ctx.ui.note(&format!("  no page? Ctrl-C, then  {again} --no-browser"));
        }
        Step::NoBrowser(why) => ctx.ui.note(&format!("No browser here ({why}): with a code instead.")),
        Step::Code {
            url,
            code,
            expires_in_s,
        } => {
            if ctx.ui.is_json() {
                let asked = Asked {
                    url,
                    user_code: code,
                    expires_in_s: *expires_in_s,
                };
                return ctx.ui.json("jit/identity-center-code/1", &asked);
            }
            ctx.ui
                .note_marked(State::Waiting, &format!("Open {url} in any browser and sign in."));
            ctx.ui.note(&format!(
                "  code {code}, for {} · approve only if the page shows the same",
                crate::ui::span(*expires_in_s)
            ));
        }
    }
    Ok(())
}

fn print(ctx: &Ctx, desk: &Desk, center: &Center, signed_in: &SignedInThere) -> Result<()> {
    if ctx.ui.is_json() {
        let signed = Signed {
            start_url: center.start_url(),
            region: center.region(),
            expires_at: signed_in.expires_at,
        };
        return ctx.ui.json("jit/login-identity-center/1", &signed);
    }
    let until = desk.words().at(signed_in.expires_at);
    let url = center.start_url();
    ctx.ui.note(&format!("Signed in at {url} until {until}."));
    Ok(())
}

fn interrupted(error: Error, again: &str) -> Error {
    match error.exit {
        Exit::Interrupted => Error {
            message: "nobody signed in".to_owned(),
            ..error
        }
        .try_(again),
        Exit::SignedOut => error.try_(again),
        _ => error,
    }
}

/// The instance of `target`, from what may be asked for or is held; without one, the only instance there is.
fn named(desk: &Desk, target: Option<&TargetName>) -> Result<Center> {
    let mut found: Vec<Center> = Vec::new();
    let listed = desk.backend.targets(None)?.targets;
    let meant = target.map(|target| listed_at(&listed, target));
    let is_meant = |at: &usize| meant.is_none_or(|meant| meant == Some(*at));
    for (_, view) in listed.iter().enumerate().filter(|(at, _)| is_meant(at)) {
        found.extend(view.identity_center.as_ref().map(Center::of_view).transpose()?);
    }
    // what is held may be asked for no longer
    let open = desk.backend.requests(true, None)?.requests;
    for request in open.iter().filter(|request| is_held(request, target)) {
        found.extend(of(request).transpose()?);
    }
    found.dedup();
    match (found.as_slice(), target) {
        // a name that is none has the nearest in its error
        ([], Some(target)) => Err(super::targets::find(desk, target)
            .err()
            .unwrap_or_else(|| not_there(target))),
        ([], None) => Err(Error::new(
            Exit::Gone,
            "identity_center.none",
            "no target of yours is in Identity Center",
        )
        .try_("jit targets")),
        ([first, rest @ ..], _) if rest.iter().all(|other| other == first) => Ok(first.clone()),
        (several, _) => Err(Error::usage(format!("your targets are in {} instances", several.len()))
            .hint("name one: jit login --identity-center TARGET")),
    }
}

/// Whether `request` is on `target`, or on an account of it.
fn is_held(request: &RequestView, target: Option<&TargetName>) -> bool {
    let family = TargetName::parse(&request.target).ok().and_then(|name| name.family());
    target.is_none_or(|target| means(target, request) || family.as_ref() == Some(target))
}

/// The instance that a request is on, where it is on a permission set.
fn of(request: &RequestView) -> Option<Result<Center>> {
    let body: Body = serde_json::from_str(&request.body).ok()?;
    body.binding.assignment().map(Center::of_assignment)
}

fn not_there(target: &TargetName) -> Error {
    let message = format!("{target} needs no sign-in to Identity Center");
    Error::new(Exit::Gone, "identity_center.none", message).try_(format!("jit request {target}"))
}
