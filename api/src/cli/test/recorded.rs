//! `guichet test --record`: a real request as a scenario.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use guichet_engine::rules::language::sheet::ScenarioFile;
use guichet_engine::rules::language::{Catalogue, Loaded};
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::request::scenario::{Recorded, Unrecordable, run};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::super::catalogue::{root_of, unsound, whole};
use super::super::check::inside;
use super::super::context::{Context, Format};
use super::super::failure::{Failure, Verdict};
use super::super::{find, store};
use crate::{RecordError, read_catalogue_folder};

/// Writes the scenario of `request` to standard output, or at the end of the file `into`.
pub(super) async fn record(
    context: &mut Context,
    request: &str,
    tenant: Option<&str>,
    into: Option<&Path>,
) -> Result<Verdict, Failure> {
    let target = into.map(|path| Target::of(path, context.language)).transpose()?;
    let guichet = store::open_to_read(context).await?;
    let recorded = from_store(context, &guichet, request, tenant, target.as_ref()).await;
    guichet.close().await;
    let recorded = recorded?;
    let holds = match &target {
        Some(target) => target.append(&recorded, context.language)?,
        None => true,
    };
    let file = target.as_ref().map(|target| target.file.file.as_str());
    if context.format == Format::Json {
        let answer = json!({
            "process": recorded.process, "outbound_at_once": recorded.outbound_at_once,
            "scenario": recorded.scenario, "into": file, "holds": holds,
        });
        writeln!(context.out, "{answer:#}")?;
    } else if let Some(file) = file {
        let words = match (context.language, holds) {
            (Language::Fr, true) => "scénario ajouté, il tient",
            (Language::Fr, false) => {
                "scénario ajouté ; la fiche a changé depuis : `guichet test` montre en quoi"
            }
            (Language::En, true) => "scenario added, it holds",
            (Language::En, false) => "scenario added; the sheet has changed since: `guichet test` shows how",
        };
        writeln!(context.out, "{file}: {words}")?;
    } else {
        write!(context.out, "{}", recorded.file())?;
    }
    Ok(if holds { Verdict::Good } else { Verdict::FoundWrong })
}

async fn from_store(
    context: &Context,
    guichet: &crate::Guichet,
    request: &str,
    tenant: Option<&str>,
    target: Option<&Target>,
) -> Result<Recorded, Failure> {
    let language = context.language;
    let card = find::card(context, guichet, request, tenant).await?;
    let at_once = target.map(|target| target.file.outbound_at_once);
    let recorded = guichet.record(&card.tenant, card.request, language, at_once).await;
    let recorded = recorded.map_err(|error| match error {
        RecordError::Engine(error) => store::engine(&error, language),
        RecordError::Unrecordable(error) => Failure::found(in_words(&error, language)),
    })?;
    match target.filter(|target| target.file.process != recorded.process) {
        None => Ok(recorded),
        Some(target) => {
            let (theirs, ours) = (&target.file.process, &recorded.process);
            Err(Failure::usage(match language {
                Language::Fr => format!("ces scénarios sont ceux de {theirs} ; la demande est de {ours}"),
                Language::En => format!("these are scenarios of {theirs}; the request is of {ours}"),
            }))
        }
    }
}

fn in_words(error: &Unrecordable, language: Language) -> String {
    match (error, language) {
        (_, Language::En) => error.to_string(),
        (Unrecordable::Empty, Language::Fr) => "la demande n’a pas d’histoire".to_owned(),
        (Unrecordable::Migrated, Language::Fr) => {
            "la demande est passée à une autre version de sa démarche".to_owned()
        }
        (Unrecordable::NoPlan(version), Language::Fr) => {
            format!("il manque la version {} de sa démarche", version.0)
        }
        (Unrecordable::Otherwise(text), Language::Fr) => {
            format!("jouée comme scénario, la demande se passe autrement : {}", text.fr)
        }
    }
}

/// The file that a scenario is added to.
struct Target {
    root: std::path::PathBuf,
    path: std::path::PathBuf,
    catalogue: Catalogue,
    file: ScenarioFile,
}

impl Target {
    fn of(path: &Path, language: Language) -> Result<Self, Failure> {
        if let Err(error) = std::fs::metadata(path) {
            return Err(super::super::calendars::unreadable(path, &error, language));
        }
        let none = || {
            let path = path.display();
            Failure::usage(match language {
                Language::Fr => format!("{path} n’est pas un fichier de scénarios d’un catalogue"),
                Language::En => format!("{path} is no file of scenarios in a catalogue"),
            })
        };
        let root = root_of(path).ok_or_else(none)?;
        let (catalogue, _) = whole(&root, language)?;
        let within = inside(&root, path);
        let file = catalogue.scenarios.iter().find(|file| file.file == within).cloned().ok_or_else(none)?;
        Ok(Self { root, path: path.to_owned(), catalogue, file })
    }

    /// Adds the scenario at the end, every other byte as it was; whether it holds under the sheet that stands there.
    fn append(&self, recorded: &Recorded, language: Language) -> Result<bool, Failure> {
        let unreadable = |error| super::super::calendars::unreadable(&self.path, &error, language);
        let mut text = std::fs::read_to_string(&self.path).map_err(unreadable)?;
        let indent = text.lines().rev().find_map(indent_of).unwrap_or(2);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
        for line in recorded.scenario.lines() {
            text.push_str(&" ".repeat(indent));
            text.push_str(line.strip_prefix("  ").unwrap_or(line));
            text.push('\n');
        }
        let loaded = self.with(&text, language)?;
        let Some(catalogue) = &loaded.catalogue else {
            return Err(unsound(&self.root, &loaded, language));
        };
        std::fs::write(&self.path, text)
            .map_err(|error| super::super::calendars::unreadable(&self.path, &error, language))?;
        self.holds(catalogue)
    }

    /// The catalogue with this text for the file.
    fn with(&self, text: &str, language: Language) -> Result<Loaded, Failure> {
        let mut files = read_catalogue_folder(&self.root)
            .map_err(|error| super::super::catalogue::failure(&error, language))?;
        for file in files.iter_mut().filter(|file| file.path == self.file.file) {
            text.clone_into(&mut file.text);
        }
        Ok(Catalogue::load(files))
    }

    fn holds(&self, catalogue: &Catalogue) -> Result<bool, Failure> {
        let plans: Result<Vec<Arc<Plan>>, Failure> = self
            .catalogue
            .definitions
            .iter()
            .map(|definition| match Plan::compile(Arc::new(definition.clone())) {
                Ok(plan) => Ok(Arc::new(plan)),
                Err(error) => Err(Failure::found(error.to_string())),
            })
            .collect();
        let file = catalogue.scenarios.iter().find(|file| file.file == self.file.file);
        let Some(mut file) = file.cloned() else { return Ok(false) };
        file.scenarios = file.scenarios.pop().into_iter().collect();
        Ok(run(&file, &plans?, &self.catalogue.organisation).iter().all(|outcome| outcome.passed()))
    }
}

/// How far a line that begins a scenario is indented.
fn indent_of(line: &str) -> Option<usize> {
    let item = line.trim_start_matches(' ');
    item.starts_with("- name:").then(|| line.len() - item.len())
}
