//! `jit aws bootstrap`: prints or writes what an account needs, for people to apply.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Source;
use crate::cli::Ctx;
use crate::error::{Error, Exit, Result};
use crate::server::provider::aws::bootstrap::{self, FileError, Format, Plan, file_in, write_files};

/// Print what an account needs, to apply
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit aws bootstrap --policy policy --issuer https://jit.acme.example --account dev >dev.yaml\n  jit aws bootstrap --policy policy --issuer https://jit.acme.example --format terraform --out infra"
)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// Account of the catalogue, may stand repeatedly
    #[arg(long = "account", value_name = "NAME")]
    accounts: Vec<String>,
    /// Print CloudFormation or Terraform
    #[arg(long, value_name = "FORMAT", default_value = "cloudformation")]
    format: Syntax,
    /// File, or folder for several accounts
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Syntax {
    /// YAML, a stack for each account
    #[value(name = "cloudformation")]
    CloudFormation,
    /// HCL, a root for each account
    Terraform,
}

#[derive(Serialize)]
struct Written<'a> {
    account: &'a str,
    account_name: &'a str,
    roles: Vec<&'a str>,
    file: Option<String>,
    changed: Option<bool>,
    template: Option<&'a str>,
}

#[derive(Serialize)]
struct Templates<'a> {
    format: &'static str,
    templates: Vec<Written<'a>>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let (format, format_name) = match args.format {
        Syntax::CloudFormation => (Format::CloudFormation, "cloudformation"),
        Syntax::Terraform => (Format::Terraform, "terraform"),
    };
    let plans = args.source.plans(&args.accounts)?;
    let texts: Vec<String> = plans.iter().map(|plan| bootstrap::template(plan, format)).collect();
    let Some(out) = &args.out else {
        return print(ctx, format_name, &plans, &texts);
    };
    let paths = paths(out, &plans, format)?;
    let files: Vec<(PathBuf, String)> = paths.into_iter().zip(texts).collect();
    let changed = write_files(&files).map_err(unwritten)?;
    let shown = files.iter().zip(&changed).zip(&plans);
    if ctx.ui.is_json() {
        let templates = shown.map(|((file, changed), plan)| written(plan, Some((&file.0, *changed)), None));
        return json(ctx, format_name, templates.collect());
    }
    for (((path, _), changed), plan) in shown {
        let what = if *changed { "Written" } else { "Up to date" };
        ctx.ui.note(&format!("{what}: {} for {}", path.display(), named(plan)));
    }
    Ok(())
}

/// To stdout: one account, or all of them as JSON.
fn print(ctx: &Ctx, format: &'static str, plans: &[Plan], texts: &[String]) -> Result<()> {
    if ctx.ui.is_json() {
        let templates = plans
            .iter()
            .zip(texts)
            .map(|(plan, text)| written(plan, None, Some(text)));
        return json(ctx, format, templates.collect());
    }
    if let [text] = texts {
        return ctx.ui.raw(text.as_bytes());
    }
    let names: Vec<&str> = plans.iter().map(|plan| plan.account_name.as_str()).collect();
    let hint = format!(
        "one of them: --account {}; a file for each: --out DIR",
        names.first().unwrap_or(&"NAME")
    );
    Err(Error::usage(format!("a template is for one account, not for {}", names.join(", "))).hint(hint))
}

fn json(ctx: &Ctx, format: &'static str, templates: Vec<Written<'_>>) -> Result<()> {
    ctx.ui.json("jit/aws-bootstrap/1", &Templates { format, templates })
}

fn written<'a>(plan: &'a Plan, file: Option<(&PathBuf, bool)>, template: Option<&'a str>) -> Written<'a> {
    Written {
        account: &plan.account,
        account_name: &plan.account_name,
        roles: plan.roles.iter().map(|role| role.arn.as_str()).collect(),
        file: file.map(|(path, _)| path.display().to_string()),
        changed: file.map(|(_, changed)| changed),
        template,
    }
}

/// One account goes into the file that was named, several each into their own.
fn paths(out: &Path, plans: &[Plan], format: Format) -> Result<Vec<PathBuf>> {
    if plans.len() == 1 && !out.is_dir() {
        return Ok(vec![out.to_owned()]);
    }
    if out.is_file() {
        let message = format!("{} is a file, and there are {} accounts", out.display(), plans.len());
        return Err(Error::usage(message).hint("name a folder: --out DIR"));
    }
    Ok(plans.iter().map(|plan| file_in(out, plan, format)).collect())
}

fn named(plan: &Plan) -> String {
    format!("{} ({})", plan.account_name, plan.account)
}

fn unwritten(error: FileError) -> Error {
    let refused = Error::new(Exit::Configuration, "config.invalid", error.to_string());
    match error {
        FileError::NotOurs(_) => refused.hint("nothing was written; name another file: --out PATH"),
        FileError::System { .. } => refused.hint("name a place that can be written: --out PATH"),
    }
}
