//! `guichet adopt`: sheets made of what a town has already in another system.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use guichet_engine::rules::language::{Catalogue, SourceFile};
use guichet_engine::rules::process::Kind;
use guichet_engine::rules::text::{Language, Text};

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::new::{compose, process};
use super::output::printable;
use crate::adopt::{
    DOCUMENT_BYTES_MAX, DocumentError, LeftOut, Service, is_bpmn, read_bpmn, read_definition, read_services,
    read_xml,
};
use crate::read_catalogue_folder;
use crate::starter::{Sketch, SketchedField, name_from};

/// Make sheets of what another system has: BPMN 2.0 processes, or the services of an Open311 system
#[derive(Debug, Args)]
#[command(
    after_help = "Example: guichet adopt services.xml services/*.xml --catalogue my-town --theme voirie --service voirie\n\n\
    What has no place in a sheet is listed with its line. Nothing that exists is written over."
)]
pub(crate) struct Adopt {
    /// A BPMN file, or the list of services, `services.xml` or `services.json`.
    #[arg(value_name = "FILE")]
    list: PathBuf,
    /// Their definitions, in XML or JSON.
    #[arg(value_name = "DEFINITION")]
    definitions: Vec<PathBuf>,
    /// The catalogue that the sheets are written into.
    #[arg(long, value_name = "FOLDER")]
    catalogue: PathBuf,
    /// The theme; of services, where their group is no theme of the catalogue.
    #[arg(long)]
    theme: Option<String>,
    /// The service in charge; assignments are refined in the sheets afterwards.
    #[arg(long)]
    service: String,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

type Definitions = BTreeMap<String, (Vec<SketchedField>, PathBuf, Vec<LeftOut>)>;

impl Adopt {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human])?;
        let language = context.language;
        let text = text_of(&self.list, language)?;
        if read_xml(&text).is_ok_and(|root| is_bpmn(&root)) {
            return self.process(context, &text);
        }
        let services = read_services(&text).map_err(|error| unusable(&self.list, &error, language))?;
        let definitions = self.definitions(language)?;
        let mut files =
            read_catalogue_folder(&self.catalogue).map_err(|error| Failure::usage(error.to_string()))?;
        let themes = self.themes(&files, context)?;
        let (mut written, mut kept_back) = (0, 0);
        for service in &services {
            let (fields, path, reported) = match definitions.get(&service.code) {
                Some((fields, path, left_out)) => (fields.clone(), path.as_path(), left_out.clone()),
                None => (Vec::new(), self.list.as_path(), Vec::new()),
            };
            report(context, path, &reported)?;
            let group = name_from(&service.group, '-');
            let theme = themes.iter().find(|theme| **theme == group).or(self.theme.as_ref());
            let Some(theme) = theme.filter(|_| !service.code.is_empty()) else {
                report(context, &self.list, &[no_theme(service)])?;
                kept_back += 1;
                continue;
            };
            let pattern = self.pattern(&files);
            let placed = pattern.model.as_ref().is_some_and(|model| asks_for_the_place(model, &files));
            let adopted = service.sketch(theme, fields, &pattern, placed);
            report(context, &self.list, &adopted.left_out)?;
            match self.adopt(context, adopted.sketch, &mut files) {
                Ok(()) => written += 1,
                Err(why) => {
                    kept_back += 1;
                    writeln!(context.out, "✗ {}:{}\n{}", self.list.display(), service.line, why.sentence())?;
                }
            }
        }
        let line = match language {
            Language::Fr => format!("{written} fiches, {kept_back} services laissés de côté."),
            Language::En => format!("{written} sheets, {kept_back} services left aside."),
        };
        writeln!(context.out, "{line}")?;
        Ok(if kept_back == 0 { Verdict::Good } else { Verdict::FoundWrong })
    }

    /// Takes over a process of BPMN.
    fn process(&self, context: &mut Context, text: &str) -> Result<Verdict, Failure> {
        let mut files =
            read_catalogue_folder(&self.catalogue).map_err(|error| Failure::usage(error.to_string()))?;
        self.themes(&files, context)?;
        let theme = self.theme.as_ref().ok_or_else(|| {
            Failure::usage(context.say("nommez un thème : --theme voirie", "name a theme: --theme voirie"))
        })?;
        let Some(catalogue) = Catalogue::load(files.clone()).catalogue else {
            return Ok(Verdict::FoundWrong);
        };
        let kind = Kind::Application;
        let model = process::model_for(&files, kind);
        let delivery = if model.is_none() { process::reply(&files) } else { None };
        let pattern = Sketch { process: format!("{theme}/"), kind, model, delivery, ..self.pattern(&files) };
        let adopted = read_bpmn(text, &catalogue.organisation, &pattern)
            .map_err(|error| unusable(&self.list, &error, context.language))?;
        report(context, &self.list, &adopted.left_out)?;
        self.adopt(context, adopted.sketch, &mut files)?;
        Ok(Verdict::Good)
    }

    fn definitions(&self, language: Language) -> Result<Definitions, Failure> {
        let mut definitions = Definitions::new();
        for path in &self.definitions {
            let (code, fields, left_out) = read_definition(&text_of(path, language)?)
                .map_err(|error| unusable(path, &error, language))?;
            definitions.insert(code, (fields, path.clone(), left_out));
        }
        Ok(definitions)
    }

    /// The themes of the catalogue, if it is sound and has the theme and the service that were named.
    fn themes(&self, files: &[SourceFile], context: &Context) -> Result<Vec<String>, Failure> {
        let language = context.language;
        let Some(catalogue) = Catalogue::load(files.to_vec()).catalogue else {
            let words = context.say(
                "ce catalogue contient des erreurs : corrigez-les d’abord (`guichet check`)",
                "this catalogue has errors: mend them first (`guichet check`)",
            );
            return Err(Failure::found(words));
        };
        let themes: Vec<String> =
            catalogue.organisation.themes.iter().map(|theme| theme.theme.clone()).collect();
        let services: Vec<String> =
            catalogue.organisation.services.iter().map(|s| s.service.clone()).collect();
        let unknown = |name: &str, known: &[String]| {
            let known = known.join(", ");
            Failure::usage(match language {
                Language::Fr => format!("`{name}` est inconnu ; on connaît : {known}"),
                Language::En => format!("`{name}` is unknown; known: {known}"),
            })
        };
        if let Some(theme) = self.theme.as_ref().filter(|theme| !themes.contains(theme)) {
            return Err(unknown(theme, &themes));
        }
        if !services.contains(&self.service) {
            return Err(unknown(&self.service, &services));
        }
        Ok(themes)
    }

    /// What Open311 does not say.
    fn pattern(&self, files: &[SourceFile]) -> Sketch {
        let model = process::model_for(files, Kind::Report);
        Sketch {
            process: String::new(),
            delivery: if model.is_none() { process::reply(files) } else { None },
            model,
            title: Text::default(),
            kind: Kind::Report,
            keywords: Vec::new(),
            fields: Vec::new(),
            qualified_by: None,
            service: self.service.clone(),
            tasks: Vec::new(),
            circuit: None,
            days: None,
            silence: None,
            schema: process::schema(files),
        }
    }

    fn adopt(
        &self,
        context: &mut Context,
        sketch: Sketch,
        files: &mut Vec<SourceFile>,
    ) -> Result<(), Failure> {
        let path = format!("{}.yaml", sketch.process);
        if files.iter().any(|file| file.path == path) {
            let path = self.catalogue.join(path);
            let words = context.say("existe déjà", "exists already");
            return Err(Failure::usage(format!("  {} {words}", path.display())));
        }
        let made = compose(sketch, files, context.language)?;
        if self.dry_run {
            writeln!(context.out, "── {}\n{}", made.sheet.path, made.sheet.text)?;
        } else {
            made.write(context, &self.catalogue)?;
        }
        files.push(made.sheet);
        Ok(())
    }
}

/// Whether a model has a field for a place.
fn asks_for_the_place(model: &str, files: &[SourceFile]) -> bool {
    let file = files.iter().find(|file| file.path.strip_suffix(".yaml") == Some(model));
    file.is_some_and(|file| file.text.contains("type: location"))
}

fn no_theme(service: &Service) -> LeftOut {
    let (code, group) = (&service.code, &service.group);
    let what = Text::new(
        format!(
            "service `{code}` : son groupe « {group} » n’est pas un thème du catalogue ; nommez-en un avec --theme"
        ),
        format!(
            "service `{code}`: its group \"{group}\" is no theme of the catalogue; name one with --theme"
        ),
    );
    LeftOut { line: service.line, what }
}

fn report(context: &mut Context, path: &Path, left_out: &[LeftOut]) -> Result<(), Failure> {
    for part in left_out {
        let words = printable(part.what.get(context.language));
        writeln!(context.out, "  – {}:{}: {words}", path.display(), part.line)?;
    }
    Ok(())
}

/// The text of a file that is not larger than a document may be.
fn text_of(path: &Path, language: Language) -> Result<String, Failure> {
    let failed = |error: &std::io::Error| super::calendars::unreadable(path, error, language);
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let most = u64::try_from(DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    file.take(most).read_to_string(&mut text).map_err(|error| failed(&error))?;
    Ok(text)
}

fn unusable(path: &Path, error: &DocumentError, language: Language) -> Failure {
    let path = path.display();
    Failure::usage(match (error, language) {
        (_, Language::En) => format!("{path}: {error}"),
        (DocumentError::TooLarge, Language::Fr) => {
            format!("{path} : document trop grand, trop profond ou trop fourni")
        }
        (DocumentError::Entity { line }, Language::Fr) => {
            format!("{path}:{line} : ni type de document ni entités (DOCTYPE, &nom;)")
        }
        (DocumentError::Malformed { line, reason }, Language::Fr) => format!("{path}:{line} : {reason}"),
    })
}
