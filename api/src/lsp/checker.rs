//! Checks whole catalogues beside the session.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Sender, SyncSender, channel};

use guichet_engine::rules::language::diagnostic::Diagnostic;
use guichet_engine::rules::language::{Catalogue, SourceFile, Sources};

use super::Event;
use crate::import::read_map;

/// A catalogue to check.
#[derive(Debug)]
pub(super) struct Job {
    /// Its folder.
    pub(super) root: PathBuf,
    /// How often it had changed.
    pub(super) revision: u64,
    /// Its files as they stood then.
    pub(super) files: Vec<SourceFile>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) root: PathBuf,
    pub(super) revision: u64,
    /// Nothing, if the checker itself failed.
    pub(super) findings: Option<Vec<Diagnostic>>,
}

/// Starts the thread that checks.
pub(super) fn start(events: SyncSender<Event>) -> io::Result<Sender<Job>> {
    let (jobs, asked) = channel::<Job>();
    std::thread::Builder::new().name("lsp-checker".into()).spawn(move || {
        for Job { root, revision, files } in asked {
            let findings = catch_unwind(AssertUnwindSafe(|| check(files))).ok();
            if events.send(Event::Checked(Checked { root, revision, findings })).is_err() {
                return;
            }
        }
    })?;
    Ok(jobs)
}

/// Everything that `guichet check` says of these files.
fn check(files: Vec<SourceFile>) -> Vec<Diagnostic> {
    let maps: Vec<SourceFile> = files.iter().filter(|file| is_map(&file.path)).cloned().collect();
    let mut findings = Catalogue::load(files).diagnostics;
    for map in maps {
        let mut sources = Sources::default();
        let file = sources.add(map);
        findings.extend(read_map(file, &sources).err().unwrap_or_default());
    }
    findings
}

fn is_map(path: &str) -> bool {
    path.starts_with("imports/") && path.ends_with(".yaml")
}
