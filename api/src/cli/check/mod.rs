//! `guichet check`: everything that is wrong with a catalogue, in one run.

mod examine;
mod explain;
mod fix;
mod report;
mod sarif;
mod watch;

use std::path::{Path, PathBuf};

use clap::Args;
use guichet_engine::rules::language::diagnostic::Severity;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use examine::{Findings, examine};

/// Find what is wrong with a catalogue, a sheet or an import map
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet check processes/chalons\n  \
    guichet check processes/chalons/voirie/chaussee-abimee.yaml --format json\n  \
    guichet check processes/chalons --fix --dry-run\n  \
    guichet check processes/chalons --watch\n  \
    guichet check --explain role.unknown")]
pub(crate) struct Check {
    /// Folders of catalogues, or folders and files in one: then only what is found there is shown.
    #[arg(required_unless_present_any = ["explain", "codes"], value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Explain a kind of finding: what it means, why it is one, what to write instead.
    #[arg(long, value_name = "CODE", conflicts_with_all = ["codes", "paths"])]
    explain: Option<String>,
    /// List every kind of finding.
    #[arg(long, conflicts_with = "paths")]
    codes: bool,
    /// Write the corrections where only one thing can have been meant, and show them.
    #[arg(long)]
    fix: bool,
    /// With --fix: show the corrections and write nothing.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Check again whenever a file changes, until Ctrl-C.
    #[arg(long, conflicts_with = "fix")]
    watch: bool,
}

impl Check {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        if self.codes || self.explain.is_some() {
            context.only(&[Format::Human, Format::Json])?;
            return match &self.explain {
                Some(code) => explain::page(context, code),
                None => explain::list(context),
            };
        }
        if self.fix {
            context.only(&[Format::Human, Format::Json])?;
            return fix::run(context, &self.paths, self.dry_run);
        }
        if self.watch {
            context.only(&[Format::Human, Format::Json])?;
            return watch::run(context, &self.paths).await;
        }
        context.only(&[Format::Human, Format::Json, Format::Sarif])?;
        once(context, &self.paths)
    }
}

/// Checks everything below the paths and prints what was found.
fn once(context: &mut Context, paths: &[PathBuf]) -> Result<Verdict, Failure> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(examine(path, context.language)?);
    }
    match context.format {
        Format::Human | Format::Csv => report::human(context, &all)?,
        Format::Json => report::json(context, &all, false)?,
        Format::Sarif => sarif::write(context, &all)?,
    }
    Ok(verdict(&all))
}

fn verdict(all: &[Findings]) -> Verdict {
    match count(all, Severity::Error) {
        0 => Verdict::Good,
        _ => Verdict::FoundWrong,
    }
}

/// How many findings of a severity there are.
fn count(all: &[Findings], severity: Severity) -> usize {
    all.iter().flat_map(|findings| &findings.found).filter(|finding| finding.severity == severity).count()
}

/// The path inside the catalogue with `/`; empty for the catalogue itself.
pub(crate) fn inside(root: &Path, path: &Path) -> String {
    let (root, path) = (std::fs::canonicalize(root), std::fs::canonicalize(path));
    let (Ok(root), Ok(path)) = (root, path) else { return String::new() };
    let parts =
        path.strip_prefix(&root).map(|p| p.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>());
    parts.map(|parts| parts.join("/")).unwrap_or_default()
}

/// Whether a file is the one named, or lies in the folder named.
pub(crate) fn covers(within: &str, file: &str) -> bool {
    within.is_empty() || file == within || file.strip_prefix(within).is_some_and(|rest| rest.starts_with('/'))
}
