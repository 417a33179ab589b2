//! Checks again whenever a file changes.
//!
//! The times and lengths of the files are looked at three times a second. A notification of the system would come a
//! little sooner, but not at all on shares of a network, in some containers, and beyond a limit of the machine; a
//! thousand files are looked at in a few milliseconds.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use guichet_engine::rules::text::Language;

use super::super::catalogue::root_of;
use super::super::context::{Context, Format};
use super::super::failure::{Failure, Verdict};
use super::examine::examine;
use super::{report, verdict};
use crate::list_catalogue_files;

const EVERY: Duration = Duration::from_millis(300);

/// What tells one state of a file from another.
type Signature = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Checks, and checks again at every change, until Ctrl-C; the verdict is that of the last time.
pub(super) async fn run(context: &mut Context, paths: &[PathBuf]) -> Result<Verdict, Failure> {
    let mut seen = signature(paths);
    let mut last = check(context, paths)?;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            _ = &mut interrupted => return Ok(last),
            () = tokio::time::sleep(EVERY) => {}
        }
        let now = signature(paths);
        if now != seen {
            seen = now;
            last = check(context, paths)?;
        }
    }
}

fn check(context: &mut Context, paths: &[PathBuf]) -> Result<Verdict, Failure> {
    let mut all = Vec::new();
    let mut failed = None;
    for path in paths {
        match examine(path, context.language) {
            Ok(findings) => all.extend(findings),
            // A file that an editor is just replacing is there again in a moment.
            Err(failure) => failed = Some(failure),
        }
    }
    if context.format == Format::Json {
        report::json(context, &all, true)?;
    } else {
        if std::io::stdout().is_terminal() {
            // Clears the screen and what scrolled off it, and begins at the top.
            write!(context.out, "\u{1b}[2J\u{1b}[3J\u{1b}[H")?;
        }
        report::human(context, &all)?;
        let line = match context.language {
            Language::Fr => "— en attente d’un changement ; Ctrl-C pour finir —",
            Language::En => "— waiting for a change; Ctrl-C ends —",
        };
        writeln!(context.out, "{line}")?;
    }
    context.out.flush()?;
    match failed {
        Some(failure) => {
            failure.say(context);
            Ok(Verdict::FoundWrong)
        }
        None => Ok(verdict(&all)),
    }
}

fn signature(paths: &[PathBuf]) -> Signature {
    let mut files = Signature::new();
    for path in paths {
        // A change anywhere in the catalogue may be one to the sheet that is watched.
        let root = root_of(path).unwrap_or_else(|| path.clone());
        for file in list_catalogue_files(&root).unwrap_or_default() {
            let state = state(&file);
            files.insert(file, state);
        }
    }
    files
}

fn state(file: &Path) -> (Option<SystemTime>, u64) {
    std::fs::metadata(file).map_or((None, 0), |data| (data.modified().ok(), data.len()))
}
