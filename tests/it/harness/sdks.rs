//! The AWS tools and SDKs that tests run on a profile of jit, each as a program with one contract: for each line of
//! its stdin a signed call (`sts:GetCallerIdentity`), for each call a line of stdout, `done ARN` or `failed WHY`.
//! Owns where each is and which version it is. Refuses versions that are not pinned, but for the system's.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::left_out::{is_there, left_out, left_out_everywhere};
use super::sealed_box::{JitCommand, SealedBox, jit_program};
use super::venv::venv_program;

const TOP: &str = env!("CARGO_MANIFEST_DIR");
/// One process a call: how people run it.
const EACH: &str =
    r#"while read -r _; do if out=$("$0" "$@" 2>&1); then echo "done $out"; else echo "failed" $out; fi; done"#;
const CALL: [&str; 6] = ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"];

/// One of them, ready to be run.
#[derive(Clone, Debug)]
pub struct Sdk {
    /// As the table calls it.
    pub name: &'static str,
    /// What is installed.
    pub version: String,
    /// Whether the version is pinned here, or whatever the system has.
    pub is_pinned: bool,
    program: PathBuf,
    args: Vec<String>,
}

impl Sdk {
    /// Every one that is installed here; those that are missing are said to be left out of `test`.
    #[track_caller]
    pub fn all(test: &str) -> Vec<Self> {
        let found = [
            cli(),
            system_cli(),
            boto3(),
            node("aws-sdk-js v3", "js/v3.mjs", "client-sts\": \""),
            node("aws-sdk-js v2", "js/v2.cjs", "\"aws-sdk\": \""),
            rust(),
            go("aws-sdk-go v2", "calls2", "aws-sdk-go-v2 v"),
            go("aws-sdk-go v1", "calls1", "aws-sdk-go v"),
            java("aws-sdk-java v2", "V2", "<artifactId>sts</artifactId>\n      <version>"),
            java(
                "aws-sdk-java v1",
                "V1",
                "<artifactId>aws-java-sdk-sts</artifactId>\n      <version>",
            ),
            java(
                "aws-sdk-kotlin",
                "Kotlin",
                "<artifactId>sts-jvm</artifactId>\n      <version>",
            ),
            ruby(),
            awscrt(),
        ];
        found
            .into_iter()
            .filter_map(|sdk| match sdk {
                Ok(sdk) => Some(sdk),
                Err(Missing::Installable(why)) => {
                    left_out(test, &why);
                    None
                }
                Err(Missing::Elsewhere(why)) => {
                    left_out_everywhere(test, &why);
                    None
                }
            })
            .collect()
    }

    /// Its program on `profile`, for as many calls as it gets lines, against `endpoint`.
    pub fn command(&self, machine: &SealedBox, profile: &str, endpoint: &str) -> JitCommand {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let settings = [
            // SDKs start the process by `sh`
            ("PATH", "/usr/bin:/bin"),
            ("AWS_PROFILE", profile),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_PAGER", ""),
            // what the first versions of JavaScript and Go need to read ~/.aws/config
            ("AWS_SDK_LOAD_CONFIG", "1"),
        ];
        let command = machine
            .command(&self.program, &args)
            // what the first version of Java needs
            .env("AWS_CREDENTIAL_PROFILES_FILE", machine.home().join(".aws/config"));
        settings
            .into_iter()
            .fold(command, |command, (name, value)| command.env(name, value))
    }
}

/// Why one cannot be run here.
enum Missing {
    /// In CI this is a failure.
    Installable(String),
    /// No package of the system has it.
    Elsewhere(String),
}

type Found = Result<Sdk, Missing>;

fn install(why: &str) -> Missing {
    Missing::Installable(why.to_owned())
}

fn made(path: &str) -> PathBuf {
    Path::new(TOP).join(".cache/sdks").join(path)
}

/// The word that follows `marker` in a file of this tree.
#[track_caller]
fn pinned(file: &str, marker: &str) -> String {
    let text = std::fs::read_to_string(Path::new(TOP).join(file)).unwrap();
    let after = text
        .split_once(marker)
        .unwrap_or_else(|| panic!("{file} has no {marker}"))
        .1;
    let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap();
    after[..end].to_owned()
}

fn ready(name: &'static str, version: String, program: PathBuf, args: &[&str]) -> Sdk {
    let args = args.iter().map(|&arg| arg.to_owned()).collect();
    Sdk {
        name,
        version,
        is_pinned: true,
        program,
        args,
    }
}

fn cli() -> Found {
    let aws = venv_program("aws");
    let args = [&["-c", EACH, aws.to_str().unwrap()], &CALL[..]].concat();
    let version = pinned("tests/requirements.txt", "awscli==");
    Ok(ready("aws CLI v1", version, "/bin/sh".into(), &args))
}

/// The second version is not in the package index; Debian has it. It knows no `AWS_ENDPOINT_URL` yet.
fn system_cli() -> Found {
    let aws = Path::new("/usr/bin/aws");
    let said = first_line(Command::new(aws).arg("--version"));
    let version = said.as_deref().and_then(|line| line.strip_prefix("aws-cli/2."));
    let Some(version) = version.and_then(|rest| rest.split(' ').next()) else {
        return Err(install(
            "version 2 of the aws CLI is missing: sudo apt-get install awscli",
        ));
    };
    let each = EACH.replace("\"$@\"", "--endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"");
    let args = [&["-c", each.as_str(), "/usr/bin/aws"], &CALL[..]].concat();
    Ok(Sdk {
        is_pinned: false,
        ..ready("aws CLI v2", format!("2.{version}"), "/bin/sh".into(), &args)
    })
}

fn boto3() -> Found {
    let version = pinned("tests/requirements.txt", "boto3==");
    let program = Path::new(TOP).join("tests/sdks/boto3/calls.py");
    Ok(ready(
        "boto3",
        version,
        venv_program("python"),
        &[program.to_str().unwrap()],
    ))
}

/// An example of this package: `cargo test` builds it.
fn rust() -> Found {
    let program = jit_program().with_file_name("examples").join("aws_sdk_rust");
    if !program.is_file() {
        return Err(install(
            "aws-sdk-rust's program is not built: cargo build --release --examples",
        ));
    }
    let version = pinned("Cargo.lock", "name = \"aws-config\"\nversion = \"");
    Ok(ready("aws-sdk-rust", version, program, &[]))
}

fn set_up(file: &str) -> Result<PathBuf, Missing> {
    let path = made(file);
    match path.exists() {
        true => Ok(path),
        false => Err(install(&format!(".cache/sdks/{file} is missing: tests/sdks.sh"))),
    }
}

fn node(name: &'static str, file: &str, marker: &str) -> Found {
    let program = set_up(file)?;
    drop(set_up("js/node_modules")?);
    let node = is_there("node").ok_or_else(|| install("node is missing: sudo apt-get install nodejs"))?;
    let version = pinned("tests/sdks/js/package.json", marker);
    Ok(ready(name, version, node, &[program.to_str().unwrap()]))
}

fn go(name: &'static str, program: &str, marker: &str) -> Found {
    let program = made(&format!("go/bin/{program}"));
    if !program.is_file() {
        return Err(Missing::Elsewhere(format!(
            "{name} is not built: Go 1.24 or newer, then tests/sdks.sh"
        )));
    }
    Ok(ready(name, pinned("tests/sdks/go/go.mod", marker), program, &[]))
}

fn java(name: &'static str, class: &str, marker: &str) -> Found {
    let (classes, jars) = (set_up("java/target/classes")?, set_up("java/target/dependency")?);
    let java = is_there("java").ok_or_else(|| install("java is missing: sudo apt-get install default-jre-headless"))?;
    let path = format!("{}:{}/*", classes.display(), jars.display());
    let version = pinned("tests/sdks/java/pom.xml", marker);
    Ok(ready(name, version, java, &["-cp", &path, class]))
}

fn ruby() -> Found {
    let script = "require 'aws-sdk-core'; puts Aws::CORE_GEM_VERSION";
    let version = first_line(Command::new("/usr/bin/ruby").args(["-e", script]));
    let version = version.ok_or_else(|| install("aws-sdk-core is missing: sudo apt-get install ruby-aws-sdk-core"))?;
    let program = Path::new(TOP).join("tests/sdks/ruby/calls.rb");
    Ok(Sdk {
        is_pinned: false,
        ..ready(
            "aws-sdk-ruby",
            version,
            "/usr/bin/ruby".into(),
            &[program.to_str().unwrap()],
        )
    })
}

fn awscrt() -> Found {
    let (python, program) = (set_up("awscrt/venv/bin/python")?, set_up("awscrt/calls.py")?);
    let version = pinned("tests/sdks/awscrt/requirements.txt", "awscrt==");
    Ok(ready(
        "AWS common runtime",
        version,
        python,
        &[program.to_str().unwrap()],
    ))
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.env_clear().env("PATH", "/usr/bin:/bin").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next().map(str::to_owned);
    line.filter(|_| output.status.success())
}
