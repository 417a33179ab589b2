//! Backups of a PostgreSQL database: by its own `pg_dump` and `pg_restore`, which know every version of themselves.

use std::io::sink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use guichet_engine::journal::{
    Copied, Journal, MASTER_FILE, PostgresJournal, PostgresKeyStore, PostgresMoment, PostgresOptions,
    Verification, verify_all,
};

use super::BackupError;
use super::files::{copy, private, same};
use super::manifest::{Manifest, described};
use crate::rights::keys::ACCESS_FILE;
use crate::store::Address;

/// The dump of the journal's schema.
pub(super) const JOURNAL_DUMP: &str = "journal.dump";
/// The dump of the keys' schema.
pub(super) const KEYS_DUMP: &str = "keys.dump";

/// Where PostgreSQL's programs are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools {
    /// The folder of `pg_dump` and `pg_restore`; where the system finds programs if none.
    pub folder: Option<PathBuf>,
}

/// How `pg_dump` and `pg_restore` are told of the database: the address without its password, and the password where
/// only the program itself reads it.
struct Target {
    address: String,
    password: Option<String>,
    options: PostgresOptions,
}

impl Target {
    fn of(address: &Address) -> Result<Self, BackupError> {
        let options = PostgresOptions::parse(address.secret())?;
        let unreadable = || BackupError::Tool {
            program: "pg_dump".into(),
            reason: "needs an address that can be read".into(),
        };
        let mut url = url::Url::parse(address.secret()).map_err(|_| unreadable())?;
        let decoded = |text: &str| {
            let pairs = format!("p={}", text.replace('+', "%2B"));
            url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, value)| value.into_owned())
        };
        let mut password = url.password().and_then(decoded);
        url.set_password(None).map_err(|()| unreadable())?;
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.set_query(None);
        for (name, value) in pairs {
            match name.as_str() {
                // These two are Guichet's own.
                "schema" | "readers" => {}
                "password" => password = Some(value),
                _ => {
                    url.query_pairs_mut().append_pair(&name, &value);
                }
            }
        }
        Ok(Self { address: url.into(), password, options })
    }

    fn program(&self, tools: &Tools, name: &str, arguments: &[&str]) -> Command {
        let path = tools.folder.as_ref().map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
        let mut command = Command::new(path);
        command.args(arguments).arg(format!("--dbname={}", self.address)).arg("--no-password");
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

async fn finished(name: &'static str, mut command: Command) -> Result<(), BackupError> {
    let failed = |reason: String| BackupError::Tool { program: name.to_owned(), reason };
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.map_err(|error| failed(error.to_string()))?.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed(
            "is not there; install PostgreSQL’s client programs, or name their folder with --pg-bin".into(),
        ),
        _ => failed(error.to_string()),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("failed: {}", said.lines().take(5).collect::<Vec<_>>().join(" "))))
}

async fn dump(
    target: &Target,
    tools: &Tools,
    schema: &str,
    more: &[&str],
    to: &Path,
) -> Result<(), BackupError> {
    let (schema, file) = (format!("--schema={schema}"), format!("--file={}", to.display()));
    let mut arguments = vec!["--format=custom", schema.as_str(), file.as_str()];
    arguments.extend(more);
    private(to).map_err(BackupError::file(to))?;
    finished("pg_dump", target.program(tools, "pg_dump", &arguments)).await?;
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(BackupError::file(to))
}

/// The journal's schema as it stands at one moment, and what it holds.
pub(super) async fn dump_journal(address: &Address, tools: &Tools, to: &Path) -> Result<Copied, BackupError> {
    let target = Target::of(address)?;
    let moment = PostgresMoment::hold(&target.options).await?;
    let snapshot = format!("--snapshot={}", moment.name());
    let done = dump(&target, tools, target.options.schema(), &[&snapshot], to).await;
    let copied = moment.release().await;
    done.map(|()| copied)
}

/// The keys' schema.
pub(super) async fn dump_keys(address: &Address, tools: &Tools, to: &Path) -> Result<(), BackupError> {
    let target = Target::of(address)?;
    dump(&target, tools, &target.options.keys_schema(), &[], to).await
}

/// Puts both schemas into a database that has neither, and the files beside them into `data`; then verifies every event.
pub(super) async fn restore(
    address: &Address,
    tools: &Tools,
    halves: &[(&Manifest, &Path)],
    data: &Path,
) -> Result<Verification, BackupError> {
    let target = Target::of(address)?;
    let standing = target.options.standing().await?;
    if !standing.is_empty() {
        return Err(BackupError::Standing(standing.join(", ")));
    }
    for (manifest, from) in halves {
        for file in &manifest.files {
            same(&described(&from.join(&file.name), sink())?, file, &from.join(&file.name))?;
        }
    }
    for (manifest, from) in halves {
        for file in &manifest.files {
            if [MASTER_FILE, ACCESS_FILE].contains(&file.name.as_str()) {
                copy(from, data, &file.name)?;
                continue;
            }
            let path = from.join(&file.name).display().to_string();
            let arguments =
                ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", path.as_str()];
            finished("pg_restore", target.program(tools, "pg_restore", &arguments)).await?;
        }
    }
    let keys = std::sync::Arc::new(PostgresKeyStore::open(&target.options, data).await?);
    let journal = PostgresJournal::open(&target.options, keys).await?;
    let verified = verify_all(&journal).await;
    journal.close().await;
    Ok(verified?)
}
