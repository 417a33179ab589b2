//! What a name stands for, in words.

use super::Index;
use super::explain::say;
use super::symbols::title;
use super::walk::Occurrence;
use crate::calendar::{CalendarSheet, Weekday};
use crate::language::grammar::Referent;
use crate::language::load::{Role, role_of};
use crate::language::yaml::Node;
use crate::organisation::{Organisation, Person};
use crate::process::{
    Circuit, CommitmentSheet, Definition, Field, FieldType, Moment, Party, Quorum, Requirement, TaskSheet,
};
use crate::text::Language;

/// The most people that are named one by one.
const PEOPLE_MAX: usize = 8;

impl Index {
    /// What a name stands for, in Markdown.
    pub(super) fn words_about(&self, path: &str, name: &Occurrence, language: Language) -> Option<String> {
        let shared = self.shared();
        let organisation = &shared.organisation;
        let id = name.name.as_str();
        match name.kind {
            Referent::Role => Some(role(id, organisation, language)),
            Referent::Service => service(id, organisation, language),
            Referent::Person => Some(person(organisation.person(id)?, organisation, language)),
            Referent::Tenant => Some(headed(id, organisation.tenant(id)?.name.get(language))),
            Referent::Administration => {
                let known = organisation.administration(id)?;
                let reached = known.email.iter().chain(&known.address);
                let lines = [headed(id, known.title.get(language))].into_iter().chain(reached.cloned());
                Some(lines.collect::<Vec<_>>().join("\n\n"))
            }
            Referent::Theme => {
                let theme = organisation.themes.iter().find(|theme| theme.theme == id)?;
                Some(headed(id, theme.title.get(language)))
            }
            Referent::Message => {
                let message = &shared.messages.get(id)?.value;
                let body: String = message.body.get(language).chars().take(400).collect();
                Some(format!("{}\n\n{}", headed(id, message.subject.get(language)), quoted(&body)))
            }
            Referent::Circuit => Some(circuit(&shared.circuits.get(id)?.value, organisation, language)),
            Referent::Calendar => Some(calendar(&shared.calendars.get(id)?.value, language)),
            Referent::Process => {
                let definition = self.definition(&self.path_of(id)?)?;
                Some(headed(id, definition.title.get(language)))
            }
            Referent::Model => {
                let path = self.path_of(id)?;
                let base = self.of(&path)?.1.tree.get("extends").and_then(Node::text);
                let extends = say(language, "prolonge", "extends");
                let base = base.map(|base| format!(" · {extends} `{base}`")).unwrap_or_default();
                Some(format!("`{id}`{base}\n\n{}", first_comment(self.text(&path)?)))
            }
            Referent::Step => self.step_words(path, id, language),
            _ => self.local_words(path, name, language),
        }
    }

    /// The words for what a sheet says of its own.
    fn local_words(&self, path: &str, name: &Occurrence, language: Language) -> Option<String> {
        let sheet = match role_of(path) {
            Role::Message => self.senders(super::name_of(path)).into_iter().next()?,
            Role::Circuit => self.users(Referent::Circuit, super::name_of(path)).into_iter().next()?,
            _ => self.sheet_of(path)?,
        };
        let definition = self.definition(&sheet)?;
        let words = match name.kind {
            Referent::Field => field(definition.form.iter().find(|f| f.field == name.name)?, language),
            Referent::ReportField => {
                let task = definition.task(name.of.as_deref()?)?;
                field(task.report.iter().find(|f| f.field == name.name)?, language)
            }
            Referent::Task => task(definition.task(&name.name)?, &self.shared().organisation, language),
            Referent::Commitment => commitment(definition.commitment(&name.name)?, &definition, language),
            _ => return None,
        };
        let said = self.meant(&sheet, name.kind, &name.name, name.of.as_deref());
        let elsewhere = said.first().filter(|mark| self.sources.path(mark.file) != path);
        let origin = elsewhere.map(|mark| {
            let (line, _) = self.sources.position(mark.file, mark.start);
            let file = self.sources.path(mark.file);
            match language {
                Language::Fr => format!("\n\nDit dans `{file}`, ligne {line}."),
                Language::En => format!("\n\nSaid in `{file}`, line {line}."),
            }
        });
        Some(format!("{words}{}", origin.unwrap_or_default()))
    }

    fn step_words(&self, path: &str, name: &str, language: Language) -> Option<String> {
        let known = self.within_reach(path, Referent::Step).into_iter().find(|step| step.name == name)?;
        let circuit = super::name_of(self.sources.path(known.mark.file)).to_owned();
        let shared = self.shared();
        let circuit = &shared.circuits.get(&circuit)?.value;
        let step = circuit.steps.iter().position(|step| step.step == name)?;
        Some(step_line(circuit, step, &shared.organisation, language))
    }

    /// What people call a thing, from where it is said.
    pub(super) fn title_of(&self, name: &Occurrence, language: Language) -> Option<String> {
        let leaf = self.leaves.get(&name.mark.file)?;
        let mut node = &leaf.tree;
        let holder = match name.path.split_last() {
            Some((_, holder)) if name.kind != Referent::Commitment => holder,
            _ => &name.path,
        };
        for step in holder {
            node = match step {
                super::Step::Key(key) => node.get(key)?,
                super::Step::Item(index) => node.list()?.get(*index)?,
            };
        }
        title(node, language)
    }
}

/// What somebody wrote at the top of a file for those who read it.
fn first_comment(text: &str) -> String {
    let comments =
        text.lines().take_while(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    comments.filter(|line| !line.starts_with("yaml-language-server")).collect::<Vec<_>>().join(" ")
}

fn headed(name: &str, title: &str) -> String {
    format!("**{title}** · `{name}`")
}

/// A quotation of somebody's words, without the Markdown that they might hold.
fn quoted(words: &str) -> String {
    format!("```text\n{}\n```", words.replace("```", "'''"))
}

fn role(id: &str, organisation: &Organisation, language: Language) -> String {
    let title = organisation.roles.iter().find(|role| role.role == id).map_or(id, |r| r.title.get(language));
    let holders: Vec<&Person> = organisation.holders(id).collect();
    let held = if holders.is_empty() {
        say(language, "Personne ne tient ce rôle.", "Nobody holds this role.").to_owned()
    } else {
        let by = say(language, "Tenu par ", "Held by ");
        format!("{by}{}.", people(&holders))
    };
    format!("{}\n\n{held}", headed(&format!("role:{id}"), title))
}

fn people(people: &[&Person]) -> String {
    let mut names: Vec<&str> = people.iter().take(PEOPLE_MAX).map(|person| person.name.as_str()).collect();
    let more = people.len().saturating_sub(PEOPLE_MAX);
    let rest = format!("+ {more}");
    if more > 0 {
        names.push(&rest);
    }
    names.join(", ")
}

fn service(id: &str, organisation: &Organisation, language: Language) -> Option<String> {
    let service = organisation.service(id)?;
    let staff: Vec<&Person> =
        organisation.people.iter().filter(|person| person.services.iter().any(|s| s == id)).collect();
    let head = service.head.as_deref().and_then(|head| organisation.person(head));
    let mut lines =
        vec![headed(&format!("service:{id}"), service.title.get(language)), service.email.clone()];
    if let Some(head) = head {
        lines.push(format!("{}{}", say(language, "Chef de service : ", "Head of service: "), head.name));
    }
    if !staff.is_empty() {
        lines.push(format!("{}{}", say(language, "Agents : ", "Staff: "), people(&staff)));
    }
    Some(lines.join("\n\n"))
}

fn person(person: &Person, organisation: &Organisation, language: Language) -> String {
    let title = |role: &String| {
        let known = organisation.roles.iter().find(|r| r.role == *role);
        known.map_or_else(|| role.clone(), |r| r.title.get(language).to_owned())
    };
    let roles: Vec<String> = person.roles.iter().map(title).collect();
    let head = headed(&format!("person:{}", person.person), &person.name);
    [head, roles.join(", "), person.services.join(", ")]
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn party(party: &Party, organisation: &Organisation, language: Language) -> String {
    match party {
        Party::Role(id) => {
            let role = organisation.roles.iter().find(|role| role.role == *id);
            role.map_or_else(|| id.clone(), |role| role.title.get(language).to_owned())
        }
        Party::Service(id) => {
            let service = organisation.service(id);
            service.map_or_else(|| id.clone(), |service| service.title.get(language).to_owned())
        }
        Party::Person(id) => organisation.person(id).map_or_else(|| id.clone(), |person| person.name.clone()),
        Party::ServiceInCharge => {
            say(language, "le service chargé de la demande", "the service in charge").to_owned()
        }
    }
}

fn circuit(circuit: &Circuit, organisation: &Organisation, language: Language) -> String {
    let steps = (0..circuit.steps.len()).map(|step| step_line(circuit, step, organisation, language));
    format!("`{}`\n\n{}", circuit.circuit, steps.collect::<Vec<_>>().join("\n"))
}

fn step_line(circuit: &Circuit, index: usize, organisation: &Organisation, language: Language) -> String {
    let Some(step) = circuit.steps.get(index) else { return String::new() };
    let by: Vec<String> = step.by.iter().map(|by| party(by, organisation, language)).collect();
    let mut words = format!("{}. **{}** · {}", index + 1, step.step, by.join(", "));
    let rule = match step.rule {
        Quorum::Any => None,
        Quorum::All => Some(say(language, "tous", "all of them").to_owned()),
        Quorum::Majority => Some(say(language, "la majorité", "a majority").to_owned()),
        Quorum::AtLeast(n) => Some(format!("{} {n}", say(language, "au moins", "at least"))),
    };
    let within = step.within.map(|budget| budget.in_words(language));
    let when = step.when.as_ref().map(|when| format!("{} `{when}`", say(language, "si", "if")));
    for more in [rule, within, when].into_iter().flatten() {
        words.push_str(&format!(", {more}"));
    }
    words
}

fn calendar(calendar: &CalendarSheet, language: Language) -> String {
    let days = Weekday::ALL.iter().filter_map(|day| {
        let hours = calendar.hours.get(day).filter(|hours| !hours.is_empty())?;
        let hours: Vec<String> = hours.iter().map(ToString::to_string).collect();
        Some(format!("{} {}", day_name(*day, language), hours.join(", ")))
    });
    let days: Vec<String> = days.collect();
    let holidays = say(language, "Jours fériés", "Public holidays");
    format!(
        "`calendars/{}` · {}\n\n{}\n\n{holidays} : {}",
        calendar.calendar,
        calendar.zone,
        days.join("  \n"),
        calendar.holidays
    )
}

fn day_name(day: Weekday, language: Language) -> &'static str {
    let (fr, en) = match day {
        Weekday::Mon => ("lundi", "Monday"),
        Weekday::Tue => ("mardi", "Tuesday"),
        Weekday::Wed => ("mercredi", "Wednesday"),
        Weekday::Thu => ("jeudi", "Thursday"),
        Weekday::Fri => ("vendredi", "Friday"),
        Weekday::Sat => ("samedi", "Saturday"),
        Weekday::Sun => ("dimanche", "Sunday"),
    };
    say(language, fr, en)
}

fn field(field: &Field, language: Language) -> String {
    let mut facts = vec![format!("`{}`", kind_of(field.kind))];
    match &field.required {
        Requirement::Always => facts.push(say(language, "obligatoire", "required").to_owned()),
        Requirement::When(rule) => {
            facts.push(format!("{} `{rule}`", say(language, "obligatoire si", "required if")));
        }
        Requirement::Optional => {}
    }
    if let Some(rule) = &field.shown_when {
        facts.push(format!("{} `{rule}`", say(language, "montré si", "shown if")));
    }
    if field.personal {
        facts.push(
            say(language, "donnée personnelle : aucune règle ne la voit", "personal: no rule sees it")
                .to_owned(),
        );
    }
    let options: Vec<String> = field.options.iter().map(|option| format!("`{}`", option.value)).collect();
    if !options.is_empty() {
        facts.push(options.join(" "));
    }
    format!("{}\n\n{}", headed(&field.field, field.label.get(language)), facts.join(" · "))
}

/// The word of a type as sheets write it.
fn kind_of(kind: FieldType) -> String {
    serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn task(task: &TaskSheet, organisation: &Organisation, language: Language) -> String {
    let mut facts = vec![party(&task.by, organisation, language)];
    facts.extend(task.within.map(|budget| budget.in_words(language)));
    if !task.after.is_empty() {
        facts.push(format!("{} {}", say(language, "après", "after"), task.after.join(", ")));
    }
    if let Some(rule) = &task.when {
        facts.push(format!("{} `{rule}`", say(language, "si", "if")));
    }
    format!("{}\n\n{}", headed(&task.task, task.title.get(language)), facts.join(" · "))
}

fn commitment(sheet: &CommitmentSheet, definition: &Definition, language: Language) -> String {
    let title = sheet.title.as_ref().map_or(sheet.commitment.as_str(), |title| title.get(language));
    let within: Vec<String> = sheet
        .within
        .iter()
        .map(|rule| {
            let budget = rule.is.in_words(language);
            match &rule.when {
                Some(when) => format!("{budget} {} `{when}`", say(language, "si", "if")),
                None => budget,
            }
        })
        .collect();
    let (from, until) =
        (moment(&sheet.from, definition, language), moment(&sheet.until, definition, language));
    let (de, a) = (say(language, "de", "from"), say(language, "à", "to"));
    let or = say(language, ", sinon ", ", else ");
    format!(
        "{}\n\n{de} {from} {a} {until} : {} (`{}`)",
        headed(&sheet.commitment, title),
        within.join(or),
        sheet.calendar
    )
}

fn moment(moment: &Moment, definition: &Definition, language: Language) -> String {
    let (fr, en) = match moment {
        Moment::Received => ("« reçue »", "“received”"),
        Moment::Acknowledged => ("« accusée »", "“acknowledged”"),
        Moment::Qualified => ("« qualifiée »", "“qualified”"),
        Moment::Assigned => ("« affectée »", "“assigned”"),
        Moment::Treated => ("« traitée »", "“treated”"),
        Moment::Validated => ("« validée »", "“validated”"),
        Moment::Delivered => ("« répondue »", "“delivered”"),
        Moment::Task(task) => {
            let title = definition.task(task).map_or(task.as_str(), |task| task.title.get(language));
            return match language {
                Language::Fr => format!("la fin de « {title} »"),
                Language::En => format!("the end of “{title}”"),
            };
        }
    };
    say(language, fr, en).to_owned()
}
