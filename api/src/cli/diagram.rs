//! `guichet diagram`: a process, or a request on its way through one, as a picture.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::process::Definition;

use super::catalogue::{chalons, root_of, sound};
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::{find, store};
use crate::diagram::{Chart, Names, bpmn, chart, mermaid, svg};

/// Draw a process as a person would: who does what, in which stage, by when; or a request on its way
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet diagram voirie/chaussee-abimee --output pothole.svg\n  \
    guichet diagram processes/chalons --all --as bpmn --output drawn\n  \
    guichet diagram --request A2023H028946 --output request.svg")]
pub(crate) struct Diagram {
    /// A process of the catalogue at hand (`voirie/chaussee-abimee`), its sheet, or with --all a catalogue or a folder in one.
    #[arg(value_name = "PROCESS_OR_FILE", required_unless_present = "request", conflicts_with = "request")]
    what: Option<String>,
    /// What to write.
    #[arg(long = "as", value_enum, default_value_t = Kind::Svg)]
    kind: Kind,
    /// The file to write; with --all the folder. Standard output if none is given.
    #[arg(long, value_name = "FILE|FOLDER", required_if_eq("all", "true"))]
    output: Option<PathBuf>,
    /// Every process found there, one file each.
    #[arg(long, conflicts_with = "request")]
    all: bool,
    /// A request under way, with where it stands: its id, its tracking code, or its number elsewhere.
    #[arg(long, value_name = "REQUEST")]
    request: Option<String>,
    /// The collectivity of the request, where several have the same number.
    #[arg(long, requires = "request")]
    tenant: Option<String>,
}

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A picture that any browser shows and any printer prints.
    Svg,
    /// A Mermaid flowchart, for wikis.
    Mermaid,
    /// BPMN 2.0 with its layout, for modelling tools.
    Bpmn,
}

impl Kind {
    fn write(self, chart: &Chart) -> String {
        match self {
            Self::Svg => svg(chart),
            Self::Mermaid => mermaid(chart),
            Self::Bpmn => bpmn(chart),
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Mermaid => "mmd",
            Self::Bpmn => "bpmn",
        }
    }
}

impl Diagram {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human])?;
        if let Some(request) = &self.request {
            let drawn = self.of_request(context, request).await?;
            self.put(context, &drawn)?;
            return Ok(Verdict::Good);
        }
        let what = self.what.as_deref().unwrap_or_default();
        let (catalogue, within) = open(context, what)?;
        let names = Names::of(&catalogue.organisation);
        let draw = |definition: &Definition| self.kind.write(&chart(definition, &names, context.language));
        let chosen: Vec<&Definition> =
            catalogue.definitions.iter().filter(|it| chosen(&within, &it.process)).collect();
        if self.all {
            let folder = self.output.clone().unwrap_or_default();
            for definition in &chosen {
                let name = format!("{}.{}", definition.process, self.kind.ending());
                save(context, &folder.join(name), &draw(definition))?;
            }
            let words = context.say("démarches dessinées dans", "processes drawn in");
            writeln!(context.out, "{} {words} {}", chosen.len(), folder.display())?;
            return Ok(Verdict::Good);
        }
        match chosen.as_slice() {
            [only] => {
                let drawn = draw(only);
                self.put(context, &drawn)?;
                Ok(Verdict::Good)
            }
            [] => Err(Failure::usage(format!(
                "{} {what}",
                context.say("aucune démarche de ce nom :", "no process of this name:")
            ))),
            _ => Err(Failure::usage(context.say(
                "plusieurs démarches se trouvent là ; nommez-en une, ou dessinez-les toutes avec --all",
                "there are several processes there; name one, or draw all of them with --all",
            ))),
        }
    }

    async fn of_request(&self, context: &Context, request: &str) -> Result<String, Failure> {
        let guichet = store::open_to_read(context).await?;
        let drawn = async {
            let card = find::card(context, &guichet, request, self.tenant.as_deref()).await?;
            let drawn = guichet.diagram(&card.tenant, card.request, context.language).await;
            drawn.map_err(|error| store::engine(&error, context.language))
        }
        .await;
        guichet.close().await;
        Ok(self.kind.write(&drawn?))
    }

    fn put(&self, context: &mut Context, drawn: &str) -> Result<(), Failure> {
        match &self.output {
            Some(file) => save(context, file, drawn),
            None => Ok(context.out.write_all(drawn.as_bytes())?),
        }
    }
}

fn save(context: &Context, file: &Path, drawn: &str) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| {
        let words = context.say("impossible d’écrire dans", "cannot write to");
        Failure::usage(format!("{words} {}: {error}", file.display()))
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    std::fs::write(file, drawn).map_err(|error| failed(&error))
}

/// The catalogue meant, and what of it: a path inside it, without the ending of a sheet.
fn open(context: &Context, what: &str) -> Result<(Catalogue, String), Failure> {
    let path = Path::new(what);
    if let Some(root) = root_of(path) {
        let within = super::check::inside(&root, path);
        let within = within.strip_suffix(".yaml").unwrap_or(&within).to_owned();
        return Ok((sound(&root, context.language)?, within));
    }
    let root = root_of(Path::new(".")).or_else(chalons).ok_or_else(|| {
        Failure::usage(
            context.say("aucun catalogue trouvé ; indiquez un chemin", "no catalogue found; name a path"),
        )
    })?;
    Ok((sound(&root, context.language)?, what.to_owned()))
}

fn chosen(within: &str, process: &str) -> bool {
    super::check::covers(within, process)
}
