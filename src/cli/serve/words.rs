//! What `jit serve` says: where it is, what to type next, and why it does not start.

use super::plan::{Holding, Plan};
use crate::error::{Error, Exit, Result};
use crate::server::StartError;
use crate::ui::Ui;
use crate::wire::{Serving, VERSION};

/// Says where it is and what to type next.
pub(super) fn announce(ui: &Ui, serving: &Serving, plan: &Plan, held: &Holding) -> Result<()> {
    if ui.is_json() {
        return ui.json("jit/serve/1", serving);
    }
    let endpoint = plan.aws_endpoint();
    match (plan, held) {
        (Plan::Dev { .. }, Holding::Dev(data)) => {
            let is_new = if data.is_new { " (new)" } else { "" };
            let aws = endpoint.map_or_else(|| "as this shell's".to_owned(), |url| format!("stand-in at {url}"));
            ui.note(&format!(
                "jit {VERSION} · {} · data in {}{is_new} · AWS: {aws}",
                serving.url,
                data.dir.display()
            ));
        }
        (Plan::File { file, path, .. }, _) => {
            let aws = endpoint.unwrap_or("its own endpoints");
            ui.note(&format!(
                "jit {VERSION} · {} · listens on {} · set up by {} · database {} · AWS: {aws}",
                file.public_url,
                serving.listen,
                path.display(),
                file.database.display(),
            ));
        }
        (Plan::Dev { .. }, Holding::File { .. }) => {}
    }
    if !plan.has_local_people() {
        for first in &serving.people {
            let (name, code) = (&first.name, &first.code);
            ui.note(&format!(
                "The first admin, {name}, has not signed in so far. Within 15 minutes, once:"
            ));
            ui.note(&format!(
                "  jit login --server {} --identity {name} --code",
                serving.url
            ));
            ui.note(&format!("  One-time code: {code}"));
        }
        return Ok(());
    }
    ui.note("In another terminal:");
    for person in &serving.people {
        let (name, code, role) = (&person.name, &person.code, &person.role);
        ui.note(&format!(
            "  jit login --server {} --identity {name:<5} --code {code}   {role}",
            serving.url
        ));
    }
    ui.note("then");
    ui.note("  jit --identity alice request prod-admin --for 30m --reason \"trying jit out\"");
    ui.note("  jit --identity bob approve prod-admin");
    Ok(())
}

/// Why it does not start, and what to do.
pub(super) fn refused(error: &StartError, plan: &Plan) -> Error {
    let refusal = |code: &str, hint: String| Error::new(Exit::Configuration, code, error.to_string()).hint(hint);
    let elsewhere = plan.elsewhere();
    match error {
        StartError::Folder { .. } => refusal("server.folder", elsewhere),
        StartError::InUse { .. } => refusal("server.in_use", format!("stop that one, or {elsewhere}")),
        StartError::Policy { .. } => refusal("server.policy", error.in_full()),
        StartError::Store(_) => refusal("server.store", format!("check the disk, or {elsewhere}")),
        StartError::SealingKey(_) => refusal(
            "server.sealing_key",
            "give the key that this database was first started with; --dev keeps it in DIR/sealing.key".to_owned(),
        ),
        StartError::Configuration(error) => error.clone(),
        StartError::Failed(_) => Error::new(Exit::Unexpected, "server.failed", error.to_string()),
    }
}
