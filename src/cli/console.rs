//! `jit console`: signs in to the AWS console with a target's keys.
//! The address is a secret: it goes to the browser, or to stdout where that was asked for, and nowhere else.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::context::{Ctx, Desk};
use crate::client::{Federation, Opened, Page, open_browser, session_s};
use crate::config::NetworkSettings;
use crate::domain::request::Body;
use crate::domain::target::Binding;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

/// Open the AWS console
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit console prod-admin --service s3")]
pub(super) struct Args {
    /// As whom
    target: String,
    /// Page to open, such as s3
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Region to open it in
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Print the secret address instead
    #[arg(long)]
    print: bool,
}

#[derive(Serialize)]
struct SignIn<'a> {
    target: &'a TargetName,
    url: &'a str,
    expires_at: Timestamp,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let typed = TargetName::parse(&args.target)?;
    let page = Page::new(args.service.as_deref(), args.region.as_deref())?;
    let desk = ctx.desk()?;
    let target = desk.meant(typed)?;
    let keys = desk.client.keys(&target)?;
    let (grant_ends_at, binding) = live(&desk, &target)?;
    let (road, now) = (binding.role().map(|role| role.road), desk.backend.now());
    let session = session_s(road, &keys, grant_ends_at, now);
    let shorter = session.filter(|secs| *secs < keys.expires_at.since(now));
    let ends_at = shorter.map_or(keys.expires_at, |secs| {
        Timestamp::from_millis(now.millis() + i64::from(secs) * 1000).whole_second()
    });
    let settings = NetworkSettings::find(&ctx.env);
    let url = Federation::of(binding.partition()).sign_in(&settings, &keys, &page, session)?;
    if ctx.ui.is_json() {
        let signed_in = SignIn {
            target: &target,
            url: url.expose_secret(),
            expires_at: ends_at,
        };
        return ctx.ui.json("jit/console/1", &signed_in);
    }
    match args.print {
        true => print(ctx, &url)?,
        false => open(ctx, &target, &url)?,
    }
    note_end(ctx, &desk, ends_at, keys.renews);
    Ok(())
}

/// When the live grant that ends last does so, and what it resolved to when it was approved.
fn live(desk: &Desk, target: &TargetName) -> Result<(Timestamp, Binding)> {
    let open = desk.backend.requests(true, None)?.requests;
    let live = open.iter().filter_map(|request| {
        let grant = request.grant.as_ref()?;
        (request.target == target.as_str() && grant.state == "active").then_some((grant.ends_at?, request))
    });
    let (ends_at, request) = live.max_by_key(|(ends_at, _)| *ends_at).ok_or_else(|| {
        Error::of(
            crate::domain::refusal::Code::GrantNotLive,
            format!("no live grant for {target}"),
        )
        .try_(format!("jit request {target}"))
    })?;
    let body: Body = serde_json::from_str(&request.body)
        .map_err(|_| Error::unexpected(format!("the request behind {target} cannot be read")))?;
    Ok((ends_at, body.binding))
}

fn print(ctx: &Ctx, url: &SecretString) -> Result<()> {
    ctx.ui.line(url.expose_secret())?;
    ctx.ui
        .note("This address is a secret: whoever opens it within 15 minutes is signed in.");
    Ok(())
}

fn open(ctx: &Ctx, target: &TargetName, url: &SecretString) -> Result<()> {
    let print = format!("jit console {target} --print");
    match open_browser(url, ctx.env.text("BROWSER").as_deref()).map_err(|error| error.try_(&print))? {
        Opened::Done => ctx.ui.note("The browser has the page."),
        Opened::Running => ctx.ui.note(&format!("The browser was started. No page? {print}")),
    }
    Ok(())
}

fn note_end(ctx: &Ctx, desk: &Desk, ends_at: Timestamp, renews: bool) {
    let words = desk.words();
    let (at, left) = (words.at(ends_at), words.left(ends_at));
    let more = if renews { "; then run it again" } else { "" };
    ctx.ui.note(&format!("It ends at {at} (in {left}){more}."));
}
