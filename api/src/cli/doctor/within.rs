//! What the journal, its keys and the read models say of themselves.

use std::time::Duration;

use chrono::TimeDelta;
use guichet_engine::journal::{Verification, Wrong, verify_all};
use guichet_engine::rules::text::Language;
use guichet_projections::{ModelSet, ProjectionError, RunState};

use super::Findings;
use crate::Guichet;
use crate::cli::failure::Failure;
use crate::cli::{local, store};
use crate::rights::keys::{ACCESS_FILE, Keyring};

/// How long read models that a server keeps may take to see what was in the journal when we came.
const PATIENCE: Duration = Duration::from_secs(15);
/// A clock that is this far behind the last event is wrong, or the machine that wrote it was.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(2);
/// Workers look every half second; what is due for this long is not being fired.
const LATE: TimeDelta = TimeDelta::minutes(10);
/// Read models that no server has used for a day were left by a version that will not come back.
const LEFT_SECONDS: u64 = 86_400;
/// Effects that are looked at one by one.
const EFFECTS: u32 = 1_000;

pub(super) async fn examine(findings: &mut Findings<'_>, guichet: &Guichet) -> Result<(), Failure> {
    let language = findings.context.language;
    let journal = guichet.engine().journal();
    let wrong = journal.examine().await.map_err(|error| store::journal(&error, language))?;
    let well = wrong.is_empty();
    let words = if well { findings.say("sains", "sound") } else { wrong.join(" ; ") };
    let advice = ("restaurez une sauvegarde : `guichet restore`", "restore a backup: `guichet restore`");
    findings.judge(well, "files", ("fichiers du journal", "journal files"), words, advice);
    let report = verify_all(journal.as_ref()).await.map_err(|error| store::journal(&error, language))?;
    verified(findings, &report);
    keys(findings, &report);
    clock(findings, guichet, &report);
    access(findings, guichet).await;
    let read = read_models(findings, guichet).await;
    read.map_err(|error| store::reading(&error, language))?;
    let definitions = guichet.engine().definitions();
    let tenants = definitions.tenants();
    let words: Vec<String> =
        tenants.iter().map(|tenant| format!("{tenant} {}", definitions.all_in_force(tenant).len())).collect();
    let advice = ("publiez un catalogue : `guichet publish`", "publish a catalogue: `guichet publish`");
    let name = ("démarches en vigueur", "processes in force");
    findings.judge(!tenants.is_empty(), "definitions", name, words.join(", "), advice);
    Ok(())
}

fn verified(findings: &mut Findings<'_>, report: &Verification) {
    // A missing key is told apart: the journal itself is whole then.
    let of_journal =
        |finding: &&guichet_engine::journal::Finding| !matches!(finding.wrong, Wrong::KeyMissing(_));
    let first = report.findings.iter().find(of_journal).map(ToString::to_string);
    let (well, events) = (first.is_none(), report.events);
    let words = first.unwrap_or_else(|| match findings.context.language {
        Language::Fr => format!("{events} événements vérifiés"),
        Language::En => format!("{events} events verified"),
    });
    let advice = (
        "`guichet verify` dit tout ; gardez ce dossier tel quel comme preuve, et restaurez une sauvegarde ailleurs",
        "`guichet verify` tells all; keep this folder as it is for evidence, and restore a backup elsewhere",
    );
    findings.judge(well, "journal", ("journal", "journal"), words, advice);
}

fn keys(findings: &mut Findings<'_>, report: &Verification) {
    let missing =
        report.findings.iter().filter(|finding| matches!(finding.wrong, Wrong::KeyMissing(_))).count();
    let (opened, erased) = (report.opened, report.erased);
    let words = match findings.context.language {
        Language::Fr => {
            format!("{opened} contenus ouverts, {erased} effacés, {missing} dont la clé est inconnue")
        }
        Language::En => format!("{opened} contents opened, {erased} erased, {missing} whose key is unknown"),
    };
    let advice = (
        "les clés sont plus anciennes que le journal : remettez keys.db d’une sauvegarde plus récente",
        "the keys are older than the journal: put keys.db back from a newer backup",
    );
    findings.judge(missing == 0, "keys", ("clés", "keys"), words, advice);
}

/// Where the keys of agents and programs are. Beside a table that servers share, a file is what no server reads.
async fn access(findings: &mut Findings<'_>, guichet: &Guichet) {
    let name = ("clés d’accès", "access keys");
    let file = guichet.options().data.join(ACCESS_FILE);
    let (keys, now) = (Keyring::of(guichet), guichet.now());
    let counted = match &keys {
        Ok(keys) if keys.is_shared() => keys.count(now).await,
        Ok(_) => {
            let words = file.display().to_string();
            return findings.add("access", name, words);
        }
        Err(error) => {
            let advice = ("rendez ce fichier lisible au serveur", "let the server read that file");
            return findings.complain("access", name, error.to_string(), advice);
        }
    };
    let counted = match counted {
        Ok(counted) => counted,
        Err(error) => {
            let advice = ("voyez la base de données", "look at the database");
            return findings.complain("access", name, error.to_string(), advice);
        }
    };
    let words = match (findings.context.language, counted) {
        (Language::Fr, Some((all, valid))) => {
            format!("dans la base, pour tous les serveurs : {all}, dont {valid} valables")
        }
        (Language::En, Some((all, valid))) => {
            format!("in the database, for all servers: {all}, {valid} of them valid")
        }
        (Language::Fr, None) => "dans la base, où aucune n’a encore été mise".to_owned(),
        (Language::En, None) => "in the database, where none was put yet".to_owned(),
    };
    let advice = (
        "`access.json` n’est plus lu ; le prochain démarrage de ce serveur en reprend les clés et le met de côté",
        "`access.json` is read no more; the next start of this server takes its keys over and puts it aside",
    );
    findings.judge(!file.exists(), "access", name, words, advice);
}

fn clock(findings: &mut Findings<'_>, guichet: &Guichet, report: &Verification) {
    let Some(last) = report.recorded else { return };
    let (language, now) = (findings.context.language, guichet.now());
    let (now_told, last_told) = (local::instant(language, now), local::instant(language, last));
    let words = match language {
        Language::Fr => format!("{now_told}, dernier événement {last_told}"),
        Language::En => format!("{now_told}, last event {last_told}"),
    };
    let advice = (
        "l’horloge est derrière ce qui est déjà enregistré : synchronisez-la (chrony, systemd-timesyncd)",
        "the clock is behind what is recorded already: synchronise it (chrony, systemd-timesyncd)",
    );
    findings.judge(now + CLOCK_SLACK >= last, "clock", ("horloge", "clock"), words, advice);
}

async fn read_models(findings: &mut Findings<'_>, guichet: &Guichet) -> Result<(), ProjectionError> {
    let models = guichet.read_models();
    // Whether they have caught up is told below, in words of its own.
    let _ = models.catch_up(PATIENCE).await;
    let status = models.status().await?;
    let behind = || {
        let at = |position: Option<guichet_engine::journal::Position>| {
            position.map_or_else(|| "–".to_owned(), |position| position.to_string())
        };
        format!("{} < {}", at(status.position), at(status.head))
    };
    let (well, words) = match &status.state {
        RunState::Stopped { reason, .. } | RunState::Retrying { reason } => (false, reason.clone()),
        RunState::CatchingUp | RunState::Following | RunState::Closed if status.caught_up => {
            (true, findings.say("à jour", "caught up"))
        }
        RunState::CatchingUp | RunState::Following | RunState::Closed => (false, behind()),
    };
    let advice = (
        "le journal du serveur dit pourquoi ; un événement illisible demande un programme plus récent, le reste `guichet rebuild`",
        "the server’s log says why; an event that cannot be read wants a newer program, the rest `guichet rebuild`",
    );
    findings.judge(well, "read models", ("modèles de lecture", "read models"), words, advice);
    sets(findings, guichet).await?;
    waiting(findings, guichet).await
}

/// On PostgreSQL, each version of the program has tables of its own: those that a version of long ago left take room.
async fn sets(findings: &mut Findings<'_>, guichet: &Guichet) -> Result<(), ProjectionError> {
    let sets = guichet.read_models().sets().await?;
    if sets.is_empty() {
        return Ok(());
    }
    let left = |set: &&ModelSet| {
        !set.own && !set.in_use && set.unused_seconds.is_none_or(|seconds| seconds > LEFT_SECONDS)
    };
    let words: Vec<String> = sets
        .iter()
        .map(|set| {
            let used = match (set.own, set.in_use) {
                (true, _) => findings.say("ce programme", "this program"),
                (false, true) => findings.say("une autre version, en marche", "another version, running"),
                (false, false) => findings.say("inutilisé", "unused"),
            };
            format!("{} ({used}, {} MiB)", set.name, set.bytes >> 20)
        })
        .collect();
    let advice = (
        "une version précédente les a laissés : `guichet rebuild --drop-unused` les retire",
        "an earlier version left them: `guichet rebuild --drop-unused` takes them away",
    );
    let well = sets.iter().find(left).is_none();
    let name = ("jeux de modèles de lecture", "sets of read models");
    findings.judge(well, "sets", name, words.join(", "), advice);
    Ok(())
}

async fn waiting(findings: &mut Findings<'_>, guichet: &Guichet) -> Result<(), ProjectionError> {
    let language = findings.context.language;
    let effects = guichet.read_models().outbox(None, EFFECTS).await?;
    let failing = effects.value.iter().filter(|item| item.error.is_some()).count();
    let oldest = effects.value.first().map(|item| local::instant(language, item.asked));
    let (n, oldest) = (effects.n, oldest.unwrap_or_else(|| "–".to_owned()));
    let words = match language {
        Language::Fr => format!("{n}, le plus ancien du {oldest}, {failing} en échec"),
        Language::En => format!("{n}, the oldest of {oldest}, {failing} failing"),
    };
    let advice = (
        "voyez le serveur de messagerie ; chaque envoi est retenté pendant une dizaine d’heures",
        "look at the mail server; each message is tried for some ten hours",
    );
    let name = ("messages et courriers en attente", "messages and letters waiting");
    findings.judge(failing == 0, "outbox", name, words, advice);
    let timers = guichet.read_models().timers_due(guichet.now(), 1).await?;
    let late = timers.value.first().is_some_and(|timer| timer.due + LATE < guichet.now());
    let words = timers.n.to_string();
    let advice = (
        "aucun serveur ne les déclenche, ou le retard n’est pas rattrapé : démarrez-en un, ou attendez ; rien n’est perdu, les retards seront constatés à leur date",
        "no server fires them, or they have not caught up: start one, or wait; nothing is lost, what is late is recorded at its own instant",
    );
    findings.judge(!late, "timers", ("minuteries échues", "timers past due"), words, advice);
    Ok(())
}
