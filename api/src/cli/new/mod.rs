//! `guichet new`: a commented sheet to start from, and a first catalogue where there is none.

mod ask;
pub(super) mod process;
mod town;

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{Datelike, Days, NaiveDateTime, NaiveTime};
use clap::Args;
use guichet_engine::rules::language::{Catalogue, Loaded, Severity, SourceFile};
use guichet_engine::rules::text::Language;

use super::catalogue::{drawn, root_of};
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use crate::ambient::SystemClock;
use crate::read_catalogue_folder;
use crate::starter::{LifeError, Sketch, first_scenario, write_sheet};
use ask::Ask;
use guichet_engine::Clock;

/// Write a new process sheet from the answers to a few questions, with a first scenario
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet new --catalogue processes/chalons\n  \
    guichet new --catalogue my-town      # asks for the town first, if the folder has no catalogue yet\n\n\
    An empty answer takes what stands in brackets. Answers may come from a pipe, one on a line.")]
pub(crate) struct New {
    /// The catalogue's folder; the one around the current folder if none is given.
    #[arg(long, value_name = "FOLDER")]
    catalogue: Option<PathBuf>,
    /// Begin a catalogue only, and write no sheet.
    #[arg(long)]
    only_catalogue: bool,
}

impl New {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human])?;
        let folder = self.folder(context)?;
        let mut ask = Ask::new(context);
        if !folder.join("catalogue.yaml").exists() {
            town::begin(&mut ask, &folder)?;
            if self.only_catalogue {
                return Ok(Verdict::Good);
            }
        }
        let files = read_catalogue_folder(&folder).map_err(|error| Failure::usage(error.to_string()))?;
        let loaded = Catalogue::load(files.clone());
        let Some(catalogue) = &loaded.catalogue else { return refuse(context, &loaded) };
        let sketch = process::sketch(&mut ask, catalogue, &files)?;
        let written = compose(sketch, &files, context.language)?;
        write(context, &folder, &written)
    }

    fn folder(&self, context: &Context) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.catalogue {
            return Ok(folder.clone());
        }
        root_of(Path::new(".")).ok_or_else(|| {
            Failure::usage(context.say(
                "aucun catalogue ici ; indiquez son dossier, même s’il n’existe pas encore : --catalogue ma-commune",
                "no catalogue here; name its folder, even if it does not exist yet: --catalogue my-town",
            ))
        })
    }
}

/// A catalogue with errors is mended before anything is added to it.
fn refuse(context: &mut Context, loaded: &Loaded) -> Result<Verdict, Failure> {
    let errors: Vec<_> = loaded
        .diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .take(3)
        .cloned()
        .collect();
    for text in drawn(&errors, &loaded.sources, context.language, false) {
        writeln!(context.out, "{text}\n")?;
    }
    let words = context.say(
        "ce catalogue contient des erreurs : corrigez-les d’abord (`guichet check`)",
        "this catalogue has errors: mend them first (`guichet check`)",
    );
    Err(Failure::found(words))
}

/// What is about to be written.
pub(super) struct Written {
    pub(super) sheet: SourceFile,
    pub(super) scenarios: SourceFile,
}

impl Written {
    /// Writes both files, which must not exist yet, and says so.
    pub(super) fn write(&self, context: &mut Context, folder: &Path) -> Result<(), Failure> {
        for file in [&self.sheet, &self.scenarios] {
            create(&folder.join(&file.path), &file.text, context.language)?;
            writeln!(context.out, "  + {}", folder.join(&file.path).display())?;
        }
        Ok(())
    }
}

/// The sheet and its scenario, tried in the catalogue before anything is written. Where the model leaves something open,
/// the sheet says everything itself.
pub(super) fn compose(sketch: Sketch, files: &[SourceFile], language: Language) -> Result<Written, Failure> {
    let path = format!("{}.yaml", sketch.process);
    let attempt = |sketch: &Sketch| {
        let sheet = SourceFile { path: path.clone(), text: write_sheet(sketch, language) };
        let with: Vec<SourceFile> = files.iter().cloned().chain([sheet.clone()]).collect();
        let loaded = Catalogue::load(with.clone());
        (sheet, with, loaded)
    };
    let (mut sheet, mut with, mut loaded) = attempt(&sketch);
    if loaded.catalogue.is_none() && sketch.model.is_some() {
        (sheet, with, loaded) =
            attempt(&Sketch { model: None, delivery: process::reply(files), ..sketch.clone() });
    }
    if loaded.catalogue.is_none() {
        let errors = loaded.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
        let errors: Vec<_> = errors.cloned().collect();
        let drawn = drawn(&errors, &loaded.sources, language, false).join("\n\n");
        return Err(Failure::found(drawn));
    }
    let text = first_scenario(&with, &sketch.process, next_monday(), language).map_err(|error| {
        Failure::found(match (error, language) {
            (LifeError::Refused(text), language) => text.get(language).to_owned(),
            (error, _) => error.to_string(),
        })
    })?;
    Ok(Written { sheet, scenarios: SourceFile { path: format!("{}.test.yaml", sketch.process), text } })
}

/// The Monday to come, in the morning, on the clock of whatever calendar the process has.
fn next_monday() -> NaiveDateTime {
    let today = SystemClock.now().date_naive();
    let ahead = 7 - u64::from(today.weekday().num_days_from_monday());
    let day = today.checked_add_days(Days::new(ahead)).unwrap_or(today);
    day.and_time(NaiveTime::from_hms_opt(9, 15, 0).unwrap_or_default())
}

fn write(context: &mut Context, folder: &Path, written: &Written) -> Result<Verdict, Failure> {
    written.write(context, folder)?;
    let path = folder.join(&written.sheet.path);
    let (path, folder) = (path.display(), folder.display());
    let words = match context.language {
        Language::Fr => format!(
            "\nEnsuite :\n  guichet check {folder}\n  guichet test {path}\n  guichet diagram {path}\n\nOuvrez la fiche : chaque partie dit à quoi elle sert."
        ),
        Language::En => format!(
            "\nNext:\n  guichet check {folder}\n  guichet test {path}\n  guichet diagram {path}\n\nOpen the sheet: each part says what it is for."
        ),
    };
    writeln!(context.out, "{words}")?;
    Ok(Verdict::Good)
}

/// Writes a file that must not exist yet.
fn create(path: &Path, text: &str, language: Language) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let path = path.display();
        Failure::usage(match (error.kind(), language) {
            (std::io::ErrorKind::AlreadyExists, Language::Fr) => format!("{path} existe déjà"),
            (std::io::ErrorKind::AlreadyExists, Language::En) => format!("{path} exists already"),
            (_, Language::Fr) => format!("impossible d’écrire {path} : {error}"),
            (_, Language::En) => format!("{path} cannot be written: {error}"),
        })
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
