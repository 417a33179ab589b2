//! The small parts that sheets are made of: rule lists, parties, moments, alarms.

use super::desk::{At, Desk, Kind};
use super::process::Library;
use crate::commitment::Budget;
use crate::language::diagnostic::{Fault, Suggestion};
use crate::language::grammar::{self, Group};
use crate::process::{Alarm, Moment, Party, Rule};

pub(super) const ROLE: Kind = Kind { code: "role.unknown", fr: "rôle inconnu", en: "unknown role" };
pub(super) const SERVICE: Kind =
    Kind { code: "service.unknown", fr: "service inconnu", en: "unknown service" };
pub(super) const PERSON: Kind =
    Kind { code: "person.unknown", fr: "personne inconnue", en: "unknown person" };

impl Desk {
    /// `role:x`, `person:x`, `service:x`, or `service`.
    pub(super) fn party(&mut self, at: &At<'_>, library: &Library<'_>) -> Option<Party> {
        let text = self.text(at)?;
        let organisation = library.organisation;
        if text == "service" {
            return Some(Party::ServiceInCharge);
        }
        let Some((kind, name)) = text.split_once(':').map(|(k, n)| (k.trim(), n.trim())) else {
            let fault = Fault::error(
                "party.invalid",
                at.mark(),
                format!("`{text}` ne désigne personne"),
                format!("`{text}` names nobody"),
            )
            .help(
                "écrivez `role:…`, `service:…`, `person:…`, ou `service` pour le service chargé de la demande",
                "write `role:…`, `service:…`, `person:…`, or `service` for the service in charge",
            );
            let as_role = organisation.roles.iter().any(|r| r.role == text).then(|| format!("role:{text}"));
            let as_service =
                organisation.services.iter().any(|s| s.service == text).then(|| format!("service:{text}"));
            let meant = match (as_role, as_service) {
                (Some(role), None) => Some(Suggestion::certain(role)),
                (role, service) => role.or(service).map(Suggestion::from),
            };
            self.fault(fault.suggest(meant));
            return None;
        };
        let mark = self.part_of(at, &text, name);
        match kind {
            "role" => {
                self.known(name, mark, organisation.roles.iter().map(|r| r.role.as_str()), &ROLE);
                Some(Party::Role(name.to_owned()))
            }
            "service" => {
                self.known(name, mark, organisation.services.iter().map(|s| s.service.as_str()), &SERVICE);
                Some(Party::Service(name.to_owned()))
            }
            "person" => {
                self.known(name, mark, organisation.people.iter().map(|p| p.person.as_str()), &PERSON);
                Some(Party::Person(name.to_owned()))
            }
            _ => {
                let fault = Fault::error(
                    "party.invalid",
                    at.mark(),
                    format!("`{kind}:` n’existe pas"),
                    format!("there is no `{kind}:`"),
                );
                let near = crate::language::diagnostic::near(kind, ["role", "service", "person"]);
                self.fault(fault.suggest(near.map(|kind| kind.map(|k| format!("{k}:{name}")))));
                None
            }
        }
    }

    /// The place of the last part of a scalar such as `role:x`.
    pub(super) fn part_of(&self, at: &At<'_>, text: &str, part: &str) -> crate::language::source::Mark {
        let mark = at.mark();
        // Quoted scalars end with the quote; plain ones with the part itself.
        let quoted = at.node.scalar().is_some_and(|s| s.style != crate::language::yaml::Style::Plain);
        let end = mark.end - usize::from(quoted && mark.end > mark.start);
        let start = end.saturating_sub(part.len());
        if text.ends_with(part) && start >= mark.start {
            crate::language::source::Mark { start, end, ..mark }
        } else {
            mark
        }
    }

    /// `service:x`, the only target that a request can be assigned to.
    pub(super) fn service(&mut self, at: &At<'_>, library: &Library<'_>) -> Option<String> {
        match self.party(at, library)? {
            Party::Service(service) => Some(service),
            Party::Role(_) | Party::Person(_) | Party::ServiceInCharge => {
                let (fr, en) = (
                    "une demande est confiée à un service : `service:…`",
                    "a request is given to a service: `service:…`",
                );
                self.fault(Fault::error("party.invalid", at.mark(), fr, en));
                None
            }
        }
    }

    /// A list of `{ when, <result> }`, the first that holds giving the result; `read` reads a result.
    pub(super) fn rules<T>(
        &mut self,
        at: &At<'_>,
        group: &'static Group,
        result: &str,
        mut read: impl FnMut(&mut Self, &At<'_>) -> Option<T>,
    ) -> Vec<Rule<T>> {
        let mut rules = Vec::new();
        for item in self.list(at) {
            // The place in the definition's list, which leaves out what could not be read.
            let item = item.becoming(format!("{}/{}", at.pointer, rules.len()));
            let entries = self.entries(&item, group);
            let when = self.get(&entries, "when").and_then(|w| self.rule(&w));
            let is = self.require(&entries, result).and_then(|value| {
                let value = value.becoming(format!("{}/is", item.pointer));
                self.places.put(&value.pointer, value.mark());
                read(self, &value)
            });
            if let Some(is) = is {
                rules.push(Rule { when, is });
            }
        }
        rules
    }

    /// One duration, or rules that give one.
    pub(super) fn budgets(&mut self, at: &At<'_>) -> Vec<Rule<Budget>> {
        if at.node.list().is_some() {
            return self.rules(at, &grammar::BUDGET_RULE, "is", Desk::budget);
        }
        let is = self.budget(at);
        self.places.put(&format!("{}/0", at.pointer), at.mark());
        is.map(|is| Rule { when: None, is }).into_iter().collect()
    }

    /// What starts or stops a clock.
    pub(super) fn moment(&mut self, at: &At<'_>) -> Option<Moment> {
        if let Some(task) = at.node.text().and_then(|t| t.strip_prefix("task:")) {
            return Some(Moment::Task(task.trim().to_owned()));
        }
        self.one_of(at, &grammar::MOMENTS)
    }

    /// `- notify: role:x` and `- escalate_to: role:x`.
    pub(super) fn alarms(&mut self, at: &At<'_>, library: &Library<'_>) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        for item in self.items(at) {
            let entries = self.entries(&item, &grammar::ALARM);
            let notify = self.get(&entries, "notify").and_then(|p| self.party(&p, library));
            let escalate = self.get(&entries, "escalate_to").and_then(|p| self.party(&p, library));
            alarms.extend(notify.map(Alarm::Notify));
            alarms.extend(escalate.map(Alarm::EscalateTo));
        }
        alarms
    }
}
