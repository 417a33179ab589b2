//! `guichet migrate`: requests under way follow another version of their process, as planned before.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use guichet_engine::rules::process::DefinitionHash;
use guichet_engine::rules::request::{ClockPolicy, Mapping};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::{Table, printable};
use super::{find, store};
use crate::migration::{Applied, MigrationPlan, PLAN_BYTES_MAX, PlanError, Scope, Targets};
use crate::{Guichet, vocabulary};

/// Let requests under way follow another version of their process: plan it, look at it, apply it
#[derive(Debug, Args)]
#[command(after_help = "Without --plan or --apply it only says what would become of the requests.\n\
    Example: guichet migrate --process voirie/chaussee-abimee --plan plan.json\n\
    Example: guichet migrate --apply plan.json")]
pub(crate) struct Migrate {
    /// Write the plan into this file, migration-plan.json if none is named; nothing is moved yet.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "migration-plan.json")]
    plan: Option<PathBuf>,
    /// Move the requests as this plan says.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "process", "request", "to", "clocks", "map", "mapping", "agent"])]
    apply: Option<PathBuf>,
    /// Move requests that changed since the plan was made as well, where they still can.
    #[arg(long, requires = "apply")]
    replan: bool,
    /// Only requests of this process; may be given several times.
    #[arg(long, value_name = "PROCESS")]
    process: Vec<String>,
    /// Only this request: its id, its tracking code, or its number in the system it was imported from.
    #[arg(long, value_name = "REQUEST")]
    request: Option<String>,
    /// Only requests of this collectivity.
    #[arg(long)]
    tenant: Option<String>,
    /// Another published version than the one in force, by its hash or the beginning of it.
    #[arg(long, value_name = "HASH")]
    to: Option<String>,
    /// What becomes of the promises under way.
    #[arg(long, value_enum, default_value_t = Clocks::Keep)]
    clocks: Clocks,
    /// What something is called in the new version: `task:old=new`, `step:…`, `field:…`, `commitment:…`; or `skip:task`
    /// for a new task that requests which are past it do without.
    #[arg(long, value_name = "KIND:OLD=NEW")]
    map: Vec<String>,
    /// The same, as a JSON file: {"tasks": {"old": "new"}, "skip": ["task"]}.
    #[arg(long, value_name = "FILE", conflicts_with = "map")]
    mapping: Option<PathBuf>,
    /// Who migrates, by staff code: the head of the service in charge; the operator if none.
    #[arg(long, value_name = "CODE")]
    agent: Option<String>,
}

/// What becomes of promises.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Clocks {
    /// They stay due when they were due.
    Keep,
    /// They count anew from now.
    Restart,
    /// They are reckoned as if the new version had applied from the beginning.
    RecomputeRemaining,
}

impl From<Clocks> for ClockPolicy {
    fn from(clocks: Clocks) -> Self {
        match clocks {
            Clocks::Keep => Self::Keep,
            Clocks::Restart => Self::Restart,
            Clocks::RecomputeRemaining => Self::RecomputeRemaining,
        }
    }
}

impl Migrate {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let guichet = store::open(context).await?;
        let done = match &self.apply {
            Some(file) => self.apply(context, &guichet, file).await,
            None => self.plan(context, &guichet).await,
        };
        guichet.close().await;
        done
    }

    async fn plan(&self, context: &mut Context, guichet: &Guichet) -> Result<Verdict, Failure> {
        let scope = self.scope(context, guichet).await?;
        let models = guichet.read_models();
        models.catch_up(store::PATIENCE).await.map_err(|error| store::reading(&error, context.language))?;
        let plan = MigrationPlan::make(guichet, &scope).await;
        let plan = plan.map_err(|error| failure(&error, context.language))?;
        if let Some(file) = &self.plan {
            let text = serde_json::to_vec_pretty(&plan)?;
            std::fs::write(file, text).map_err(|error| unwritable(file, &error, context.language))?;
        }
        if context.format == Format::Json {
            let answer = json!({ "plan": plan, "summary": plan.summary(), "file": self.plan });
            writeln!(context.out, "{answer:#}")?;
        } else {
            print_plan(context, &plan)?;
            if let Some(file) = &self.plan {
                let file = file.display();
                let words = context.say("Plan écrit. Pour l’appliquer :", "Plan written. To apply it:");
                writeln!(context.out, "\n{words} guichet migrate --apply {file}")?;
            }
        }
        Ok(Verdict::Good)
    }

    async fn scope(&self, context: &Context, guichet: &Guichet) -> Result<Scope, Failure> {
        let mapping = self.mapping(context)?;
        if !mapping.is_empty() && self.process.len() != 1 && self.request.is_none() {
            return Err(Failure::usage(context.say(
                "une correspondance vaut pour une démarche : précisez --process",
                "a mapping is for one process: say which with --process",
            )));
        }
        let request = match &self.request {
            Some(text) => Some(find::card(context, guichet, text, self.tenant.as_deref()).await?.request),
            None => None,
        };
        let targets = match &self.to {
            Some(to) => Targets::Version(version(context, guichet, to)?),
            None => Targets::InForce,
        };
        Ok(Scope {
            tenant: self.tenant.clone(),
            processes: self.process.clone(),
            request,
            targets,
            promises: self.clocks.into(),
            mapping,
            agent: self.agent.clone(),
        })
    }

    fn mapping(&self, context: &Context) -> Result<Mapping, Failure> {
        if let Some(file) = &self.mapping {
            let text = read(file, 1024 * 1024, context.language)?;
            return serde_json::from_slice(&text)
                .map_err(|error| Failure::usage(format!("{} : {error}", file.display())));
        }
        let mut mapping = Mapping::default();
        for entry in &self.map {
            map_entry(&mut mapping, entry).ok_or_else(|| {
                Failure::usage(match context.language {
                    Language::Fr => {
                        format!("« {entry} » ne se lit pas : écrivez par exemple task:ancienne=nouvelle")
                    }
                    Language::En => format!("`{entry}` cannot be read: write for example task:old=new"),
                })
            })?;
        }
        Ok(mapping)
    }

    async fn apply(&self, context: &mut Context, guichet: &Guichet, file: &Path) -> Result<Verdict, Failure> {
        let text = read(file, PLAN_BYTES_MAX, context.language)?;
        let plan = MigrationPlan::read(&text).map_err(|error| failure(&error, context.language))?;
        let applied = plan.apply(guichet, self.replan, &mut |_| {}).await;
        let applied = applied.map_err(|error| store::engine(&error, context.language))?;
        if context.format == Format::Json {
            writeln!(context.out, "{:#}", json!({ "plan": plan.plan, "applied": applied }))?;
        } else {
            print_applied(context, &applied)?;
        }
        Ok(if applied.is_whole() { Verdict::Good } else { Verdict::FoundWrong })
    }
}

/// Takes in one `KIND:OLD=NEW`.
fn map_entry(mapping: &mut Mapping, entry: &str) -> Option<()> {
    let (kind, rest) = entry.split_once(':')?;
    if kind == "skip" {
        mapping.skip.push(rest.to_owned());
        return Some(());
    }
    let (old, new) = rest.split_once('=')?;
    let names = match kind {
        "task" => &mut mapping.tasks,
        "step" => &mut mapping.steps,
        "field" => &mut mapping.fields,
        "commitment" => &mut mapping.commitments,
        _ => return None,
    };
    names.insert(old.to_owned(), new.to_owned());
    Some(())
}

/// The published version that `text` begins.
pub(super) fn version(context: &Context, guichet: &Guichet, text: &str) -> Result<DefinitionHash, Failure> {
    let mut found = guichet.engine().definitions().versions_beginning(text).into_iter();
    match (found.next(), found.next()) {
        (Some(hash), None) => Ok(hash),
        (Some(_), Some(_)) => Err(Failure::usage(context.say(
            "plusieurs versions publiées commencent ainsi",
            "several published versions begin like this",
        ))),
        (None, _) => Err(Failure::usage(
            context.say("aucune version publiée ne commence ainsi", "no published version begins like this"),
        )),
    }
}

fn read(file: &Path, most: u64, language: Language) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let unreadable = |error: &std::io::Error| {
        Failure::usage(match language {
            Language::Fr => format!("impossible de lire {} : {error}", file.display()),
            Language::En => format!("{} cannot be read: {error}", file.display()),
        })
    };
    let open = std::fs::File::open(file).map_err(|error| unreadable(&error))?;
    let mut text = Vec::new();
    open.take(most + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > most {
        return Err(unreadable(&std::io::Error::from(std::io::ErrorKind::FileTooLarge)));
    }
    Ok(text)
}

fn unwritable(file: &Path, error: &std::io::Error, language: Language) -> Failure {
    Failure::usage(match language {
        Language::Fr => format!("impossible d’écrire {} : {error}", file.display()),
        Language::En => format!("{} cannot be written: {error}", file.display()),
    })
}

/// What it means that there is no plan.
pub(super) fn failure(error: &PlanError, language: Language) -> Failure {
    match (error, language) {
        (PlanError::Engine(error), _) => store::engine(error, language),
        (PlanError::ReadModels(error), _) => store::reading(error, language),
        (PlanError::Shape(error), Language::Fr) => {
            Failure::usage(format!("ce n’est pas un plan de migration : {error}"))
        }
        (PlanError::Altered, Language::Fr) => Failure::found(
            "le plan a été modifié depuis qu’il a été fait : son contenu n’a plus l’empreinte qu’il annonce",
        ),
        (PlanError::Shape(_), Language::En) => Failure::usage(error.to_string()),
        (PlanError::Altered, Language::En) => Failure::found(error.to_string()),
    }
}

/// The plan in figures, then why some requests cannot move.
pub(super) fn print_plan(context: &mut Context, plan: &MigrationPlan) -> Result<(), Failure> {
    let (language, summary) = (context.language, plan.summary());
    let total = |take: fn(&crate::migration::SummaryLine) -> u64| summary.lines.iter().map(take).sum::<u64>();
    let (all, moves, refused) = (total(|l| l.requests), total(|l| l.moves), total(|l| l.refused));
    let already = plan.already;
    let line = match language {
        Language::Fr => format!(
            "Demandes en cours sous une autre version : {all} ; peuvent passer : {moves} ; ne le peuvent pas : {refused}. Suivent déjà celle-ci : {already}."
        ),
        Language::En => format!(
            "Requests under way on another version: {all}; can move: {moves}; cannot: {refused}. On this one already: {already}."
        ),
    };
    writeln!(context.out, "{line}")?;
    let mut table = Table::new(&[
        context.say("démarche", "process"),
        context.say("étape", "stage"),
        context.say(">demandes", ">requests"),
        context.say(">passent", ">move"),
        context.say(">sans rien changer", ">nothing changes"),
        context.say(">échéance changée", ">due date changed"),
        context.say(">rompue aussitôt", ">broken at once"),
        context.say(">ne peuvent pas", ">cannot"),
    ]);
    for line in &summary.lines {
        let stage = vocabulary::stage(&line.stage, language);
        let counts = [
            line.requests,
            line.moves,
            line.unchanged,
            line.promises_changed,
            line.broken_at_once,
            line.refused,
        ];
        let cells = [line.process.clone(), stage.to_string()].into_iter();
        table.row(cells.chain(counts.map(|count| count.to_string())).collect());
    }
    if !table.is_empty() {
        writeln!(context.out)?;
        table.write(&mut context.out)?;
    }
    if !summary.reasons.is_empty() {
        writeln!(
            context.out,
            "\n{}",
            context.say("Pourquoi certaines ne peuvent pas :", "Why some cannot:")
        )?;
    }
    for (code, text, count, some) in &summary.reasons {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let (text, some) = (printable(text.get(language)), some.join(", "));
        writeln!(context.out, "  {count} × {text} [{code}]\n      {some}")?;
    }
    Ok(())
}

fn print_applied(context: &mut Context, applied: &Applied) -> Result<(), Failure> {
    let Applied { moved, moved_before, left, stale } = applied;
    let line = match context.language {
        Language::Fr => format!(
            "Passées à la nouvelle version : {moved} ; l’étaient déjà par ce plan : {moved_before} ; laissées où elles sont : {left}."
        ),
        Language::En => format!(
            "Moved to the new version: {moved}; moved by this plan before: {moved_before}; left where they are: {left}."
        ),
    };
    writeln!(context.out, "{line}")?;
    for request in stale {
        let (id, was, is) = (request.request, request.planned, request.revision);
        let reasons: Vec<String> =
            request.reasons.iter().map(|reason| printable(reason.text.get(context.language))).collect();
        let now = match (request.moved, reasons.is_empty()) {
            (true, _) => context.say("replanifiée et passée", "planned again and moved").to_owned(),
            (false, true) => {
                context.say("pourrait encore passer (--replan)", "could still move (--replan)").to_owned()
            }
            (false, false) => reasons.join(" "),
        };
        let words = context.say("a changé depuis le plan", "has changed since the plan");
        writeln!(context.out, "  {id} {words} ({was} → {is}) : {now}")?;
    }
    Ok(())
}
