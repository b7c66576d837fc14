//! Templates as files: which file is whose, and writing them.
//! Owns not to overwrite what somebody else wrote. Refuses half a set: all are looked at before one is written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::HEADER;
use super::plan::Plan;

/// The syntax of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CloudFormation, in YAML.
    CloudFormation,
    /// Terraform, in HCL.
    Terraform,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It was not written by us.
    #[error("{0} is no template of jit")]
    NotOurs(PathBuf),
    /// What the system says.
    #[error("{path}: {error}")]
    System {
        /// Which.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

/// The file of `plan` in a folder. Terraform takes all files of a folder for one root: each account has its own.
pub fn file_in(folder: &Path, plan: &Plan, format: Format) -> PathBuf {
    let is_plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let name = Some(plan.account_name.as_str()).filter(|name| is_plain(name) && !name.is_empty());
    let name = name.unwrap_or(&plan.account);
    match format {
        Format::CloudFormation => folder.join(format!("{name}.yaml")),
        Format::Terraform => folder.join(name).join("main.tf"),
    }
}

/// Writes every file that is not so already, and says of each whether it was.
///
/// # Errors
/// [`FileError`]; nothing was written where one of them is not ours.
pub fn write_files(files: &[(PathBuf, String)]) -> Result<Vec<bool>, FileError> {
    let is_new: Vec<bool> = files
        .iter()
        .map(|(path, text)| differs(path, text))
        .collect::<Result<_, _>>()?;
    for ((path, text), _) in files.iter().zip(&is_new).filter(|(_, is_new)| **is_new) {
        let failed = |error| system(path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(path, text).map_err(failed)?;
    }
    Ok(is_new)
}

/// Whether the file has to be written; it may be, if it is one of ours.
fn differs(path: &Path, text: &str) -> Result<bool, FileError> {
    match fs::read(path) {
        Ok(bytes) if bytes == text.as_bytes() => Ok(false),
        Ok(bytes) if bytes.is_empty() || bytes.starts_with(HEADER.as_bytes()) => Ok(true),
        Ok(_) => Err(FileError::NotOurs(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(system(path, error)),
    }
}

fn system(path: &Path, error: io::Error) -> FileError {
    let path = path.to_owned();
    FileError::System { path, error }
}
