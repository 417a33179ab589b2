//! Definitions that enter force through their own circuit: proposed as a request, approved like any answer, brought
//! into force once, and taken out of it again.
//!
//! A draft stands in the process's stream, the request that carries it in its own. Nothing but the journal says what
//! became of them: whoever looks after a crash sees the same and does the same, and what was done is recognised.

use chrono::{DateTime, NaiveDate, Utc};
use guichet_journal::{Digest, JournalError, Pseudonym, StreamId, Tenant};
use guichet_rules::process::{
    DRAFT_ABANDONED, Definition, DefinitionHash, DraftAbandoned, Entry, EntryApproval, PROCESS_DRAFTED,
    PROCESS_PUBLISHED, PROCESS_RETIRED, PROCESS_STREAM, Party, Plan, ProcessDrafted, ProcessPublished,
    ProcessRetired, Sources, process_stream, request_of,
};
use guichet_rules::request::{Actor, Command, CommandId, RequestId, RequesterInput, Stage, What, decide};
use guichet_rules::text::Text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

use crate::definitions::Draft;
use crate::error::{EngineError, draft_refused, role_needed};
use crate::file::PAGE;
use crate::history::Span;
use crate::job::{Job, pseudonym};
use crate::names::{request_stream, tenant_of};
use crate::publication::Announcement;
use crate::submit::{Engine, Receipt, Submission};

/// How often an announcement is tried again when others change the same process at the same moment.
const ATTEMPTS: usize = 8;
/// The longest reason, in characters.
const REASON_MAX: usize = 2_000;

/// A sheet on its way into force, or out of it.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The collectivity.
    pub tenant: String,
    /// The process.
    pub process: String,
    /// The new version with the places of its rules; none proposes to take the process out of force.
    pub definition: Option<(Definition, Sources)>,
    /// Why.
    pub reason: String,
    /// Not before the beginning of this day, by the calendar of the process.
    pub enters_force: Option<NaiveDate>,
    /// The process that citizens may turn to instead of one that is taken out of force.
    pub replacement: Option<String>,
    /// What differs from the version in force, in words.
    pub differences: Vec<Text>,
    /// Who proposes it: a member of staff.
    pub actor: Actor,
    /// The command's id; the same id sent again answers the first receipt.
    pub command_id: CommandId,
}

/// What became of the drafts that were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Versions that entered force.
    pub published: usize,
    /// Processes taken out of force.
    pub retired: usize,
    /// Drafts given up.
    pub abandoned: usize,
}

/// Something that stands in the history of a process.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VersionEntry {
    /// What happened: `drafted`, `published`, `retired` or `draft_abandoned`.
    pub what: &'static str,
    /// The version, where there is one.
    pub hash: Option<DefinitionHash>,
    /// Whether this version is in force.
    pub in_force: bool,
    /// When it was recorded (UTC).
    pub at: DateTime<Utc>,
    /// Who did it, by pseudonym.
    pub actor: String,
    /// The request that carried it.
    pub request: Option<RequestId>,
    /// Who approved it.
    pub approvals: Vec<EntryApproval>,
    /// The day on which it enters force at the earliest.
    pub enters_force: Option<NaiveDate>,
    /// Why, or the code that says why it was given up.
    pub reason: Option<String>,
    /// The process to turn to instead.
    pub replacement: Option<String>,
    /// What differs from the version before it, in words.
    pub differences: Vec<Text>,
}

/// What the state of its request means for a draft.
enum Fate {
    Waits,
    Enters,
    Abandoned(&'static str),
}

impl Engine {
    /// Proposes a version of a process, or its end, as a request of the process that the collectivity has chosen for
    /// that. The draft is recorded in full and never used before that request is validated.
    ///
    /// # Errors
    /// [`EngineError::Rejected`], and nothing changed: `draft.no_circuit`, `draft.no_change`, `draft.other_tenant`,
    /// `draft.unknown_party`, `role.needed`, or what the process of the request refuses.
    pub async fn propose(&self, proposal: &Proposal) -> Result<Receipt, EngineError> {
        self.refresh().await?;
        let tenant = tenant_of(&proposal.tenant)?;
        let drafted = self.drafted(proposal)?;
        let submission = self.carrier(proposal, &drafted)?;
        let known = self.current_file(&request_stream(&tenant, drafted.request)?).await?.is_some();
        if !known {
            self.would_receive(&submission).await?;
            let actor = pseudonym(&proposal.actor)?;
            let repeated = self.definitions().draft(tenant.as_str(), drafted.request).is_some();
            if !repeated {
                self.announce_in(&tenant, &proposal.process, PROCESS_DRAFTED, None, &drafted, &actor).await?;
            }
        }
        self.submit(submission).await
    }

    /// The draft that a proposal makes, once it is sure that it may be one.
    fn drafted(&self, proposal: &Proposal) -> Result<ProcessDrafted, EngineError> {
        let organisation =
            self.definitions().organisation(&proposal.tenant).ok_or(EngineError::UnknownTenant)?;
        let staff = |code: &String| {
            organisation.person(code).is_some_and(|person| organisation.works_for(person, &proposal.tenant))
        };
        if !matches!(&proposal.actor, Actor::Agent(code) if staff(code)) {
            return Err(role_needed().into());
        }
        let base = self.definitions().in_force(&proposal.tenant, &proposal.process);
        let base = base.map(|plan| plan.hash().clone());
        let hash = match &proposal.definition {
            Some((definition, _)) => {
                Plan::compile(Arc::new(definition.clone()))?;
                let offered = definition.tenants.contains(&proposal.tenant);
                if !offered || definition.process != proposal.process {
                    return Err(draft_refused("draft.other_tenant", &proposal.process).into());
                }
                if let Some(party) = definition.parties().find(|party| !organisation.knows(party)) {
                    return Err(draft_refused("draft.unknown_party", &named(&party)).into());
                }
                Some(definition.hash()?)
            }
            None => None,
        };
        if hash == base {
            return Err(draft_refused("draft.no_change", &proposal.process).into());
        }
        let (definition, sources) = proposal.definition.clone().unzip();
        Ok(ProcessDrafted {
            process: proposal.process.clone(),
            request: RequestId(request_of(proposal.command_id.0)),
            base,
            hash,
            definition,
            sources: sources.unwrap_or_default(),
            differences: proposal.differences.clone(),
            enters_force: proposal.enters_force,
            replacement: proposal.replacement.clone(),
            reason: proposal.reason.chars().take(REASON_MAX).collect(),
        })
    }

    /// The request that carries a draft: its form is filled in as far as it has the fields, from what the engine knows
    /// and not from what somebody claims.
    fn carrier(&self, proposal: &Proposal, drafted: &ProcessDrafted) -> Result<Submission, EngineError> {
        let tenant = &proposal.tenant;
        let organisation = self.organisation(tenant);
        let carrier = organisation.publication.clone();
        let plan = carrier.and_then(|carrier| self.definitions().in_force(tenant, &carrier));
        let plan = plan.ok_or_else(|| draft_refused("draft.no_circuit", tenant))?;
        let in_force = self.definitions().in_force(tenant, &proposal.process);
        let promises = |definition: &Definition| {
            (definition.commitments.clone(), definition.law.clone(), definition.calendars.clone())
        };
        let changes_promise =
            in_force.map(|plan| promises(plan.definition())) != drafted.definition.as_ref().map(promises);
        let words: Vec<&str> = drafted.differences.iter().map(|text| text.fr.as_str()).collect();
        let known = [
            ("sheet", json!(drafted.process)),
            ("change", json!(drafted.change())),
            ("changes_promise", json!(changes_promise)),
            ("reason", json!(drafted.reason)),
            ("version", json!(drafted.hash)),
            ("differences", json!(words.join("\n"))),
            ("enters_force", json!(drafted.enters_force)),
        ];
        let has = |name: &str| plan.definition().form.iter().any(|field| field.field == name);
        let filled = known.into_iter().filter(|(name, value)| has(name) && !value.is_null());
        let form: Map<String, Value> = filled.map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Submission {
            tenant: tenant.clone(),
            request: None,
            command: Command::Receive {
                process: plan.definition().process.clone(),
                channel: guichet_rules::process::Channel::Web,
                opened_by: guichet_rules::process::Opener::Agent,
                requester: RequesterInput::default(),
                form,
                external: None,
                first_received_at: None,
                answer: None,
                origin: None,
            },
            actor: proposal.actor.clone(),
            command_id: proposal.command_id,
            occurred_at: None,
            expected: None,
        })
    }

    /// Whether a request would be received, without receiving it.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] with what the rules would say against it.
    pub async fn would_receive(&self, submission: &Submission) -> Result<(), EngineError> {
        let job = Job::new(self, submission)?;
        let gathered = self.gather(&job, None).await?;
        decide(None, &submission.command, &gathered.facts(&job))?;
        Ok(())
    }

    /// Looks at every draft and does what its request has come to: publishes it, retires its process, gives it up.
    ///
    /// # Errors
    /// As [`Engine::submit`]; what was settled before stands, and the rest is settled the next time.
    pub async fn settle(&self) -> Result<Settled, EngineError> {
        self.refresh().await?;
        let mut settled = Settled::default();
        for draft in self.definitions().drafts() {
            match self.fate(&draft).await? {
                Fate::Waits => {}
                Fate::Enters => self.enter(&draft, &mut settled).await?,
                Fate::Abandoned(code) => {
                    self.abandon(&draft, code).await?;
                    settled.abandoned += 1;
                }
            }
        }
        Ok(settled)
    }

    async fn fate(&self, draft: &Draft) -> Result<Fate, EngineError> {
        let stream = request_stream(&draft.tenant, draft.drafted.request)?;
        // A crash between the draft and its request leaves a draft that nobody can approve.
        let Some(file) = self.current_file(&stream).await? else { return Ok(Fate::Waits) };
        let in_force = self.definitions().in_force(draft.tenant.as_str(), &draft.drafted.process);
        let stale = in_force.as_ref().map(|plan| plan.hash()) != draft.drafted.base.as_ref();
        Ok(match &file.request.stage {
            Stage::Withdrawn => Fate::Abandoned("draft.withdrawn"),
            Stage::Cancelled => Fate::Abandoned("draft.cancelled"),
            Stage::Refused => Fate::Abandoned("draft.refused"),
            Stage::Forwarded { .. } | Stage::Merged { .. } => Fate::Abandoned("draft.elsewhere"),
            _ if stale => Fate::Abandoned("draft.stale"),
            Stage::Received | Stage::Qualified | Stage::Assigned | Stage::InValidation(_) => Fate::Waits,
            Stage::Validated { .. } | Stage::Delivered { .. } if self.is_early(draft) => Fate::Waits,
            Stage::Validated { .. } | Stage::Delivered { .. } => Fate::Enters,
        })
    }

    /// Whether the day on which a draft enters force is still to come.
    fn is_early(&self, draft: &Draft) -> bool {
        let Some(day) = draft.drafted.enters_force else { return false };
        let carrier = self.organisation(draft.tenant.as_str()).publication.clone();
        let plan = carrier.and_then(|name| self.definitions().in_force(draft.tenant.as_str(), &name));
        let now = self.ambient().now();
        let today = plan
            .as_ref()
            .and_then(|plan| plan.calendar(&plan.definition().calendar))
            .map_or_else(|| now.date_naive(), |calendar| calendar.local_date(now));
        today < day
    }

    async fn enter(&self, draft: &Draft, settled: &mut Settled) -> Result<(), EngineError> {
        let drafted = &draft.drafted;
        let entry = Entry {
            request: drafted.request,
            approvals: self.approvals(draft.tenant.as_str(), drafted.request).await?,
        };
        let actor = pseudonym(&Actor::Engine)?;
        let head = Some(draft.head);
        match (&drafted.hash, &drafted.definition) {
            (Some(hash), Some(definition)) => {
                let body = ProcessPublished {
                    hash: hash.clone(),
                    definition: definition.clone(),
                    sources: drafted.sources.clone(),
                    entry: Some(entry),
                };
                let digest = hash.0.parse::<Digest>().map_err(JournalError::from)?;
                self.settle_in(draft, head, PROCESS_PUBLISHED, Some(digest), &body, &actor).await?;
                settled.published += 1;
            }
            _ => {
                let body = ProcessRetired {
                    process: drafted.process.clone(),
                    last: drafted.base.clone(),
                    reason: drafted.reason.clone(),
                    replacement: drafted.replacement.clone(),
                    entry: Some(entry),
                };
                self.settle_in(draft, head, PROCESS_RETIRED, None, &body, &actor).await?;
                settled.retired += 1;
            }
        }
        Ok(())
    }

    /// Gives a draft up. A request that cannot lead anywhere any more is closed with the reason; one that is answered
    /// already is told so in a note.
    async fn abandon(&self, draft: &Draft, code: &'static str) -> Result<(), EngineError> {
        let drafted = &draft.drafted;
        if code == "draft.stale" {
            let words = draft_refused(code, &drafted.process);
            let text = format!("{} [{code}]", words.text.fr);
            let cancel = Command::Cancel { reason: text.clone() };
            if let Err(EngineError::Rejected(_)) = self.tell(draft, cancel, "cancel").await {
                match self.tell(draft, Command::Note { text }, "note").await {
                    Ok(()) | Err(EngineError::Rejected(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let body = DraftAbandoned {
            process: drafted.process.clone(),
            request: drafted.request,
            hash: drafted.hash.clone(),
            code: code.to_owned(),
        };
        let actor = pseudonym(&Actor::Engine)?;
        self.settle_in(draft, Some(draft.head), DRAFT_ABANDONED, None, &body, &actor).await
    }

    async fn tell(&self, draft: &Draft, command: Command, what: &str) -> Result<(), EngineError> {
        let name = format!("draft:{}:{what}", draft.drafted.request);
        let submission = Submission {
            tenant: draft.tenant.as_str().to_owned(),
            request: Some(draft.drafted.request),
            command,
            actor: Actor::Engine,
            command_id: CommandId(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())),
            occurred_at: None,
            expected: None,
        };
        self.submit(submission).await.map(|_| ())
    }

    /// Who approved what was validated last.
    async fn approvals(&self, tenant: &str, request: RequestId) -> Result<Vec<EntryApproval>, EngineError> {
        let mut approvals: Vec<EntryApproval> = Vec::new();
        for entry in self.history(tenant, request, &Span::default(), false).await? {
            let what = entry.event.what;
            if let What::Submitted(_) = what {
                approvals.clear();
            } else if let What::Approved(event) = what {
                let (step, by, on_behalf_of) = (Some(event.step), event.by, event.on_behalf_of);
                approvals.push(EntryApproval { step, by, on_behalf_of });
            } else if let What::Validated(event) = what
                && approvals.is_empty()
            {
                approvals.extend(event.by.map(|by| EntryApproval { step: None, by, on_behalf_of: None }));
            }
        }
        Ok(approvals)
    }

    /// Takes a process out of force at once, as its designer may who publishes from disk. Requests under way go on.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] with `process.unknown` where it is not in force.
    pub async fn retire(
        &self,
        tenant: &str,
        process: &str,
        reason: &str,
        replacement: Option<&str>,
        actor: &Actor,
    ) -> Result<(), EngineError> {
        self.refresh().await?;
        let plan = self.in_force(tenant, process).await?;
        let body = ProcessRetired {
            process: process.to_owned(),
            last: Some(plan.hash().clone()),
            reason: reason.chars().take(REASON_MAX).collect(),
            replacement: replacement.map(str::to_owned),
            entry: None,
        };
        let tenant = tenant_of(tenant)?;
        self.announce_in(&tenant, process, PROCESS_RETIRED, None, &body, &pseudonym(actor)?).await
    }

    /// Announces something in the stream of a process, whatever stands there last.
    async fn announce_in<T: Serialize>(
        &self,
        tenant: &Tenant,
        process: &str,
        kind: &'static str,
        definition: Option<Digest>,
        body: &T,
        actor: &Pseudonym,
    ) -> Result<(), EngineError> {
        let entry = Announcement { kind, definition, body };
        for _ in 0..ATTEMPTS {
            let stream = stream_of(tenant, process)?;
            let head = self.definitions().head(&stream);
            let now = self.ambient().now();
            let done =
                self.definitions().announce(self.journal().as_ref(), stream, head, &entry, actor, now).await;
            self.refresh().await?;
            match done {
                Err(EngineError::Journal(JournalError::Conflict { .. })) => {}
                other => return other,
            }
        }
        Err(EngineError::Contended)
    }

    /// Announces what became of a draft, on exactly the state of the process that it was judged by; if that changed in
    /// between, it is judged again the next time.
    async fn settle_in<T: Serialize>(
        &self,
        draft: &Draft,
        head: Option<guichet_journal::Revision>,
        kind: &'static str,
        definition: Option<Digest>,
        body: &T,
        actor: &Pseudonym,
    ) -> Result<(), EngineError> {
        let entry = Announcement { kind, definition, body };
        let stream = stream_of(&draft.tenant, &draft.drafted.process)?;
        let now = self.ambient().now();
        let done =
            self.definitions().announce(self.journal().as_ref(), stream, head, &entry, actor, now).await;
        self.refresh().await?;
        match done {
            Err(EngineError::Journal(JournalError::Conflict { .. })) => Ok(()),
            other => other,
        }
    }

    /// The history of a process in a collectivity: its drafts, its versions and its end, in order.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] with `process.unknown` where there never was one.
    pub async fn versions(&self, tenant: &str, process: &str) -> Result<Vec<VersionEntry>, EngineError> {
        self.refresh().await?;
        let stream = stream_of(&tenant_of(tenant)?, process)?;
        let in_force = self.definitions().in_force(tenant, process).map(|plan| plan.hash().clone());
        let mut entries = Vec::new();
        let mut from = guichet_journal::Revision::FIRST;
        loop {
            let page = self.journal().read(&stream, from, PAGE).await?;
            for recorded in &page {
                from = recorded.header()?.revision.next();
                entries.extend(entry_of(recorded)?);
            }
            if page.len() < PAGE {
                break;
            }
        }
        let last = entries.iter().rposition(|entry| entry.what == "published" && entry.hash == in_force);
        if let Some(entry) = last.filter(|_| in_force.is_some()).and_then(|last| entries.get_mut(last)) {
            entry.in_force = true;
        }
        if entries.is_empty() { Err(crate::error::process_unknown(process).into()) } else { Ok(entries) }
    }
}

/// Whom a sheet names, as it is written there.
fn named(party: &Party) -> String {
    match party {
        Party::ServiceInCharge => "service".to_owned(),
        Party::Role(role) => format!("role:{role}"),
        Party::Service(service) => format!("service:{service}"),
        Party::Person(person) => format!("person:{person}"),
    }
}

fn stream_of(tenant: &Tenant, process: &str) -> Result<StreamId, EngineError> {
    Ok(StreamId::new(tenant, PROCESS_STREAM, process_stream(process)).map_err(JournalError::from)?)
}

fn entry_of(recorded: &guichet_journal::Recorded) -> Result<Option<VersionEntry>, EngineError> {
    let header = recorded.header()?;
    let mut line = VersionEntry {
        what: "published",
        hash: None,
        in_force: false,
        at: header.recorded_at,
        actor: header.actor.as_str().to_owned(),
        request: None,
        approvals: Vec::new(),
        enters_force: None,
        reason: None,
        replacement: None,
        differences: Vec::new(),
    };
    let entered = |line: &mut VersionEntry, entry: Option<Entry>| {
        if let Some(entry) = entry {
            (line.request, line.approvals) = (Some(entry.request), entry.approvals);
        }
    };
    match recorded.event_type() {
        PROCESS_PUBLISHED => {
            let body: ProcessPublished = recorded.decode()?;
            line.hash = Some(body.hash);
            entered(&mut line, body.entry);
        }
        PROCESS_DRAFTED => {
            let body: ProcessDrafted = recorded.decode()?;
            (line.what, line.hash, line.request) = ("drafted", body.hash, Some(body.request));
            (line.enters_force, line.reason) = (body.enters_force, Some(body.reason));
            (line.replacement, line.differences) = (body.replacement, body.differences);
        }
        PROCESS_RETIRED => {
            let body: ProcessRetired = recorded.decode()?;
            (line.what, line.hash, line.reason) = ("retired", body.last, Some(body.reason));
            line.replacement = body.replacement;
            entered(&mut line, body.entry);
        }
        DRAFT_ABANDONED => {
            let body: DraftAbandoned = recorded.decode()?;
            (line.what, line.hash) = ("draft_abandoned", body.hash);
            (line.request, line.reason) = (Some(body.request), Some(body.code));
        }
        _ => return Ok(None),
    }
    Ok(Some(line))
}
