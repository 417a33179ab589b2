//! Sheets on their way into force through their own circuit: read, checked, compared, proposed.

use chrono::NaiveDate;
use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::language::source::SourceFile;
use guichet_engine::rules::process::Definition;
use guichet_engine::rules::request::{Actor, CommandId, Ground, Rejection};
use guichet_engine::rules::text::Text;
use guichet_engine::{EngineError, Proposal, Receipt};

use crate::Guichet;
use crate::publish::{Faults, PublishError};

/// What is proposed to a collectivity: a sheet in a new version, or its end.
#[derive(Debug, Clone)]
pub struct SheetProposal {
    /// The collectivity.
    pub tenant: String,
    /// The process.
    pub process: String,
    /// Why.
    pub reason: String,
    /// Not before the beginning of this day.
    pub enters_force: Option<NaiveDate>,
    /// The process to turn to instead of one that is taken out of force.
    pub replacement: Option<String>,
    /// Who proposes it.
    pub actor: Actor,
    /// The command's id; the same id sent again answers the first receipt.
    pub command_id: CommandId,
}

/// Checks the files of a catalogue as if they lay in a folder. It takes a moment of one processor.
///
/// # Errors
/// [`PublishError::Faults`], with everything that is wrong.
pub fn load_files(files: Vec<SourceFile>) -> Result<Catalogue, PublishError> {
    let loaded = Catalogue::load(files);
    loaded
        .catalogue
        .ok_or(PublishError::Faults(Faults { diagnostics: loaded.diagnostics, sources: loaded.sources }))
}

impl Guichet {
    /// Proposes a sheet of a checked catalogue; without one, that the process be taken out of force. The request that
    /// carries it goes through the circuit of the process that the collectivity has chosen for that.
    ///
    /// # Errors
    /// As [`guichet_engine::Engine::propose`].
    pub async fn propose(
        &self,
        catalogue: Option<&Catalogue>,
        proposal: &SheetProposal,
    ) -> Result<Receipt, EngineError> {
        self.engine().refresh().await?;
        let process = &proposal.process;
        let in_force = self.engine().definitions().in_force(&proposal.tenant, process);
        let (definition, differences) = match catalogue {
            Some(catalogue) => {
                let found = catalogue.definition(process).ok_or_else(|| unknown(process))?;
                let places = catalogue.places.get(process).cloned().unwrap_or_default();
                let differences = differences(in_force.as_ref().map(|plan| plan.definition()), found);
                (Some((found.clone(), places)), differences)
            }
            None if in_force.is_none() => return Err(unknown(process)),
            None => (None, Vec::new()),
        };
        self.engine()
            .propose(&Proposal {
                tenant: proposal.tenant.clone(),
                process: process.clone(),
                definition,
                reason: proposal.reason.clone(),
                enters_force: proposal.enters_force,
                replacement: proposal.replacement.clone(),
                differences,
                actor: proposal.actor.clone(),
                command_id: proposal.command_id,
            })
            .await
    }
}

fn unknown(process: &str) -> EngineError {
    let shown: String = process.chars().filter(|symbol| !symbol.is_control()).take(80).collect();
    let text =
        Text::new(format!("Il n’y a pas de fiche « {shown} »."), format!("There is no sheet `{shown}`."));
    Rejection::new("process.unknown", text).because(Ground::Content).into()
}

/// The parts of a sheet, with what people call them.
const PARTS: [(&str, &str, &str); 18] = [
    ("title", "titre", "title"),
    ("description", "description", "description"),
    ("open_to", "qui peut demander", "who may open one"),
    ("channels", "canaux", "channels"),
    ("form", "formulaire", "form"),
    ("qualification", "qualification", "qualification"),
    ("assignment", "affectation", "assignment"),
    ("treatment", "tâches", "tasks"),
    ("validation", "circuit de validation", "approval circuit"),
    ("delivery", "remise de la réponse", "delivery"),
    ("acknowledgement", "accusé de réception", "acknowledgement"),
    ("waiting", "attente du demandeur", "waiting for the requester"),
    ("commitments", "engagements", "promises"),
    ("calendars", "calendriers", "calendars"),
    ("law", "silence de l’administration", "legal silence"),
    ("privacy", "données personnelles", "personal data"),
    ("costs", "coûts", "costs"),
    ("messages", "textes envoyés", "texts sent"),
];

/// The parts that differ between a version and the next, in words.
fn differences(old: Option<&Definition>, new: &Definition) -> Vec<Text> {
    let Some(old) = old else { return Vec::new() };
    let (Ok(old), Ok(new)) = (serde_json::to_value(old), serde_json::to_value(new)) else {
        return Vec::new();
    };
    let changed = PARTS.iter().filter(|(key, ..)| old.get(key) != new.get(key));
    changed.map(|(_, fr, en)| Text::new(*fr, *en)).collect()
}
