//! The first scenario of a new sheet. It is not guessed but lived: each step is run on the production rules, what the
//! request then waits for is the next step, and what came of it is what the scenario expects.

use std::fmt::Write;
use std::sync::Arc;

use chrono::NaiveDateTime;
use guichet_engine::rules::language::{Catalogue, SourceFile};
use guichet_engine::rules::process::{Channel, Definition, Opener, Plan, Requirement, TaskSheet};
use guichet_engine::rules::request::scenario::{Outcome, run};
use guichet_engine::rules::request::{ClockStatus, Request, Stage, TaskStatus, evolve};
use guichet_engine::rules::text::{Language, Text};
use serde_json::{Map, Value};

use super::quoted;
use super::samples::sample;

/// The most steps that a request is led through.
const MOST_STEPS: usize = 60;

/// Why no scenario could be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifeError {
    /// The catalogue has errors, or the process is not in it.
    #[error("the catalogue has errors")]
    Unsound,
    /// The rules refused a step.
    #[error("{}", .0.en)]
    Refused(Text),
    /// The request did not reach its end.
    #[error("the request did not reach its end")]
    Endless,
}

/// A scenario file in which one request of `process` is received at `start`, on the clock of the process's calendar, and
/// led to its answer. `files` are the catalogue with the new sheet; other scenarios in them are left aside.
///
/// # Errors
/// [`LifeError`].
pub fn first_scenario(
    files: &[SourceFile],
    process: &str,
    start: NaiveDateTime,
    language: Language,
) -> Result<String, LifeError> {
    let all: Vec<SourceFile> = files.iter().filter(|file| !file.path.contains(".test.")).cloned().collect();
    // The other sheets make every step slower and matter only where this one refers to them.
    let needed: Vec<SourceFile> = all.iter().filter(|file| is_needed(&file.path, process)).cloned().collect();
    let (files, catalogue) = match Catalogue::load(needed.clone()).catalogue {
        Some(catalogue) => (needed, catalogue),
        None => (all.clone(), Catalogue::load(all).catalogue.ok_or(LifeError::Unsound)?),
    };
    let definition = catalogue.definition(process).cloned().ok_or(LifeError::Unsound)?;
    let tenant = definition.tenants.first();
    let colleague = catalogue.organisation.people.iter().find(|person| Some(&person.tenant) == tenant);
    let colleague = colleague.map(|person| person.person.clone());
    let mut life =
        Life { files, definition, language, start, colleague, form: Map::new(), steps: Vec::new() };
    life.fill_in();
    life.live()?;
    Ok(life.text())
}

/// Whether a file is the sheet itself, the frame of the catalogue, or a part that sheets share.
fn is_needed(path: &str, process: &str) -> bool {
    let shared = ["calendars/", "models/", "circuits/", "messages/"];
    path.strip_suffix(".yaml") == Some(process)
        || !path.contains('/')
        || shared.iter().any(|folder| path.starts_with(folder))
}

/// What the rules said, and the pointers and codes of the fields that were wrong.
type Refusal = (Text, Vec<String>);

struct Life {
    files: Vec<SourceFile>,
    definition: Definition,
    language: Language,
    start: NaiveDateTime,
    /// Someone of the collectivity, who opens what no citizen may open.
    colleague: Option<String>,
    form: Map<String, Value>,
    steps: Vec<String>,
}

impl Life {
    fn say<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Fr => fr,
            Language::En => en,
        }
    }

    /// What must always be given.
    fn fill_in(&mut self) {
        for field in &self.definition.form {
            if field.required == Requirement::Always && field.shown_when.is_none() {
                self.form.insert(field.field.clone(), sample(field));
            }
        }
    }

    fn live(&mut self) -> Result<(), LifeError> {
        let mut expected_assigned = false;
        for _ in 0..MOST_STEPS {
            let (request, refused) = self.run()?;
            if let Some((text, fields)) = refused {
                if request.is_some() || !self.put_right(&fields) {
                    return Err(LifeError::Refused(text));
                }
                continue;
            }
            let Some(request) = request else {
                // Nothing has happened yet: the request is made.
                self.steps.push(String::new());
                continue;
            };
            if matches!(request.stage, Stage::Assigned) && !expected_assigned {
                expected_assigned = true;
                self.steps.push(self.expectation(&request));
                continue;
            }
            match self.next(&request) {
                Some(step) => self.steps.push(step),
                None => {
                    self.steps.push(self.expectation(&request));
                    return Ok(());
                }
            }
        }
        Err(LifeError::Endless)
    }

    /// Runs the steps so far: where the request stands, or what was refused and which fields were wrong.
    fn run(&self) -> Result<(Option<Request>, Option<Refusal>), LifeError> {
        if self.steps.is_empty() {
            return Ok((None, None));
        }
        let mut files = self.files.clone();
        files.push(SourceFile { path: format!("{}.test.yaml", self.definition.process), text: self.text() });
        let catalogue = Catalogue::load(files).catalogue.ok_or(LifeError::Unsound)?;
        let plan = Plan::compile(Arc::new(self.definition.clone())).map_err(|_| LifeError::Unsound)?;
        let plans = [Arc::new(plan)];
        let file = catalogue.scenarios.first().ok_or(LifeError::Unsound)?;
        let outcome =
            run(file, &plans, &catalogue.organisation).into_iter().next().ok_or(LifeError::Unsound)?;
        Ok((state(&outcome), refusal(&outcome)))
    }

    /// Corrects the form after a refusal; says whether there was anything to correct.
    fn put_right(&mut self, fields: &[String]) -> bool {
        let mut changed = false;
        for fault in fields {
            let Some((pointer, code)) = fault.split_once(' ') else { continue };
            let name = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            let Some(field) = self.definition.form.iter().find(|field| field.field == name) else { continue };
            let value = if code == "field.not_shown" { None } else { Some(sample(field)) };
            let before = match &value {
                Some(value) => self.form.insert(name.to_owned(), value.clone()),
                None => self.form.remove(name),
            };
            changed |= before != value;
        }
        changed
    }

    /// What the request waits for; nothing once it is answered.
    fn next(&self, request: &Request) -> Option<String> {
        let later = "after: 1 working hour";
        Some(match &request.stage {
            Stage::Received | Stage::Qualified => format!("      - {{ {later}, qualify: {{}} }}"),
            Stage::Assigned => match self.open_task(request) {
                Some(task) => format!("      - {{ {later}, {task} }}"),
                None => {
                    let answer = self.say("Votre demande est traitée.", "Your request has been dealt with.");
                    format!("      - {{ {later}, answer: {} }}", quoted(answer))
                }
            },
            Stage::InValidation(approval) => {
                let step = approval.open.as_ref().map(|open| open.step.as_str()).unwrap_or_default();
                format!("      - {{ {later}, approve: {step} }}")
            }
            Stage::Validated { by, .. } => {
                let by = by.map(|by| serde_json::to_value(by).ok()).unwrap_or_default();
                let by = by.as_ref().and_then(Value::as_str).unwrap_or("counter").to_owned();
                format!("      - {{ {later}, deliver: {{ by: {by} }} }}")
            }
            Stage::Delivered { .. }
            | Stage::Withdrawn
            | Stage::Cancelled
            | Stage::Refused
            | Stage::Forwarded { .. }
            | Stage::Merged { .. } => return None,
        })
    }

    /// `complete: visite, report: { … }` for the first task that is open.
    fn open_task(&self, request: &Request) -> Option<String> {
        let open = |task: &&TaskSheet| {
            request.tasks.get(&task.task).is_some_and(|task| task.status == TaskStatus::Open)
        };
        let task = self.definition.treatment.iter().find(open)?;
        let mut report = Map::new();
        for field in task.report.iter().filter(|field| field.required == Requirement::Always) {
            report.insert(field.field.clone(), sample(field));
        }
        let mut words = format!("complete: {}", task.task);
        if !report.is_empty() {
            let _ = write!(words, ", report: {}", flow(&Value::Object(report)));
        }
        Some(words)
    }

    /// What is to be seen of the request now.
    fn expectation(&self, request: &Request) -> String {
        let mut parts = vec![format!("stage: {}", request.stage.id())];
        if request.stage.is_finished() {
            let kept = request.clocks.iter().filter(|clock| clock.status == ClockStatus::Kept);
            let kept: Vec<&str> = kept.map(|clock| clock.commitment.as_str()).collect();
            if !kept.is_empty() {
                parts.push(format!("kept: [{}]", kept.join(", ")));
            }
        } else {
            parts.extend(request.service.as_ref().map(|service| format!("service: {service}")));
            let due = request.clock("answer").map(|clock| clock.due);
            let zone = self.zone();
            if let (Some(due), Some(zone)) = (due, zone) {
                let local = due.with_timezone(&zone).format("%Y-%m-%dT%H:%M");
                parts.push(format!("due: {{ answer: \"{local}\" }}"));
            }
        }
        format!("      - expect: {{ {} }}", parts.join(", "))
    }

    fn zone(&self) -> Option<chrono_tz::Tz> {
        let sheet = self.definition.calendars.get(&self.definition.calendar)?;
        sheet.zone.parse().ok()
    }

    /// The file. The first step, an empty line until then, is the receipt with the form as it is by now.
    fn text(&self) -> String {
        let name = self.say("de la demande à la réponse", "from the request to the answer");
        let head = self.say(
            "# Un exemple vécu d’un bout à l’autre. Ajoutez les vôtres : la veille d’un férié, la pièce qui manque, le refus de signer.",
            "# An example lived from end to end. Add your own: the eve of a holiday, the missing piece, the signature refused.",
        );
        let mut text = format!(
            "{head}\nprocess: {}\nscenarios:\n  - name: {name}\n    steps:\n",
            self.definition.process
        );
        for step in &self.steps {
            let line = if step.is_empty() { self.receipt() } else { step.clone() };
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn receipt(&self) -> String {
        let at = self.start.format("%Y-%m-%dT%H:%M");
        let citizen = self.definition.open_to.contains(&Opener::Citizen);
        let by = match &self.colleague {
            Some(person) if !citizen => format!(" by: person:{person},"),
            Some(_) | None => String::new(),
        };
        let wanted = if citizen { Channel::Web } else { Channel::Counter };
        let channels = &self.definition.channels;
        let channel = channels.iter().find(|channel| **channel == wanted).or(channels.first()).copied();
        let channel = channel.unwrap_or(wanted).id();
        let requester =
            "{ name: \"Camille Martin\", email: camille.martin@courriel.example, preferred: email }";
        let form = if self.form.is_empty() {
            String::new()
        } else {
            format!(", form: {}", flow(&Value::Object(self.form.clone())))
        };
        format!(
            "      - {{ at: \"{at}\",{by} receive: {{ channel: {channel}, requester: {requester}{form} }} }}"
        )
    }
}

/// Where the request of a scenario stands at its end.
fn state(outcome: &Outcome) -> Option<Request> {
    outcome.history.iter().fold(None, |request, (event, meta)| evolve(request, event, meta))
}

/// What was not as it should be, with the pointers and codes of wrong fields.
fn refusal(outcome: &Outcome) -> Option<Refusal> {
    let problem = outcome.steps.iter().flat_map(|step| &step.problems).next()?;
    let words: Vec<&str> = problem.actual.split(' ').skip(1).collect();
    let fields = words.chunks(2).map(|pair| pair.join(" ")).collect();
    Some((problem.text.clone(), fields))
}

/// A value as people write it in a sheet, on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let parts: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
