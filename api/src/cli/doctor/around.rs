//! What can be seen without opening the journal: disk, modes of files, backups.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use guichet_engine::Clock;
use guichet_engine::journal::{JOURNAL_FILE, KEYS_FILE, MASTER_FILE};
use guichet_engine::rules::text::Language;

use super::Findings;
use crate::ambient::SystemClock;
use crate::attachments::Files;
use crate::backup::{Holds, Manifest};
use crate::channels::imap::probe;
use crate::cli::local;
use crate::settings::Settings;

/// Below this, the next batch of keys or group of events may not fit.
const ROOM_MIN: u64 = 256 * 1024 * 1024;
/// A backup is taken every night; an hour more for one that takes long.
const BACKUP_AGE_MAX: TimeDelta = TimeDelta::hours(25);
const MIB: u64 = 1024 * 1024;

/// The room left on the disk: a rebuild and a backup need as much as the journal takes.
pub(super) fn room(findings: &mut Findings<'_>, folder: &Path) {
    let name = ("place sur le disque", "room on the disk");
    let disk = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk,
        Err(error) => {
            let advice =
                ("le système ne répond pas pour ce dossier", "the system does not answer for this folder");
            return findings.complain("disk", name, error.to_string(), advice);
        }
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let size = |file: &str| std::fs::metadata(folder.join(file)).map_or(0, |about| about.len());
    let journal = size(JOURNAL_FILE) + size(&format!("{JOURNAL_FILE}-wal"));
    let words = match findings.context.language {
        Language::Fr => {
            format!("{} Mio libres, le journal en prend {}", free / MIB, journal.div_ceil(MIB))
        }
        Language::En => {
            format!("{} MiB free, the journal takes {}", free / MIB, journal.div_ceil(MIB))
        }
    };
    let advice = (
        "faites de la place : un disque plein refuse toute commande, et refaire les modèles de lecture demande autant que le journal",
        "make room: a full disk refuses every command, and rebuilding the read models takes as much as the journal",
    );
    findings.judge(free >= ROOM_MIN.max(journal), "disk", name, words, advice);
}

/// Whether the files that requests name are there; their bytes are read by `guichet files verify`.
pub(super) async fn files(findings: &mut Findings<'_>, files: &Files) {
    let name = ("fichiers joints", "attached files");
    let checked = match files.check(false).await {
        Ok(checked) => checked,
        Err(error) => {
            let advice = (
                "leur dossier ne se lit pas, ou leur compartiment ne répond pas : voyez les réglages",
                "their folder cannot be read, or their bucket does not answer: look at the settings",
            );
            return findings.complain("files", name, error.to_string(), advice);
        }
    };
    let (there, missing, orphans) = (checked.sound, checked.missing.len(), checked.orphans.len());
    let words = match findings.context.language {
        Language::Fr => format!("{there} fichiers, {missing} manquants, {orphans} que rien ne tient"),
        Language::En => format!("{there} files, {missing} missing, {orphans} held by nothing"),
    };
    let advice = (
        "ce qui manque se reprend d’une copie (`guichet files restore`) ; ce que rien ne tient s’enlève à la main",
        "what is missing comes back from a copy (`guichet files restore`); what nothing holds is taken away by hand",
    );
    findings.judge(missing == 0 && orphans == 0, "files", name, words, advice);
}

/// Whether the mailboxes at providers can be fetched from.
pub(super) async fn mailboxes(findings: &mut Findings<'_>, settings: &Settings) {
    let name = ("boîte aux lettres électronique", "mailbox");
    for (index, mailbox) in settings.channels.mailboxes.iter().enumerate() {
        let Some(imap) = &mailbox.imap else { continue };
        let place = format!("channels.mailboxes[{}], {}", index + 1, imap.host);
        match probe(imap).await {
            Ok(()) => findings.add("mailbox", name, place),
            Err(fault) => {
                let text = fault.text();
                let advice = (
                    "corrigez les paramètres ou le fichier du mot de passe ; le serveur réessaie de lui-même",
                    "put the settings or the file with the password right; the server tries again by itself",
                );
                let words = format!("{place} : {}", text.get(findings.context.language));
                findings.complain("mailbox", name, words, advice);
            }
        }
    }
}

/// Files that nobody but the server's user may read.
#[cfg(unix)]
pub(super) fn modes(findings: &mut Findings<'_>, folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).map(|about| about.permissions().mode() & 0o777).ok();
    let private = [MASTER_FILE, KEYS_FILE].map(|name| folder.join(name));
    let open_to_all = mode(folder).is_none_or(|mode| mode & 0o077 != 0);
    // Within a closed folder the modes of the rest do not matter, except for the master key, which is copied about.
    let bad: Vec<String> = private
        .iter()
        .enumerate()
        .filter(|(index, _)| *index == 0 || open_to_all)
        .filter_map(|(_, path)| Some((path, mode(path)?)))
        .filter(|(_, mode)| mode & 0o077 != 0)
        .map(|(path, mode)| format!("{} ({mode:o})", path.display()))
        .collect();
    let missing = private.iter().find(|path| !path.exists());
    let name = ("fichiers des clés", "files of the keys");
    if let Some(missing) = missing {
        let words = match findings.context.language {
            Language::Fr => format!("{} manque", missing.display()),
            Language::En => format!("{} is missing", missing.display()),
        };
        let advice = ("remettez-le depuis sa sauvegarde", "put it back from its backup");
        return findings.complain("key files", name, words, advice);
    }
    let well = bad.is_empty();
    let words =
        if well { findings.say("lus par personne d’autre", "read by nobody else") } else { bad.join(", ") };
    let advice = ("d’autres peuvent les lire : chmod 600", "others can read them: chmod 600");
    findings.judge(well, "key files", name, words, advice);
}

#[cfg(not(unix))]
pub(super) fn modes(_findings: &mut Findings<'_>, _folder: &Path) {}

/// How old the newest backup is.
pub(super) fn backups(findings: &mut Findings<'_>, folder: &Path) {
    let name = ("dernière sauvegarde", "last backup");
    let below = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let places: Vec<PathBuf> = std::iter::once(folder.to_owned()).chain(below).collect();
    let manifests = places.iter().filter_map(|place| Manifest::read(place, Holds::Journal).ok());
    let advice = (
        "lancez `guichet backup`, et voyez pourquoi la nuit dernière ne l’a pas fait",
        "run `guichet backup`, and see why last night did not",
    );
    let Some(newest) = manifests.max_by_key(|manifest| manifest.taken) else {
        let words = findings.say("aucune dans ce dossier", "none in this folder");
        return findings.complain("backup", name, words, advice);
    };
    let taken = local::instant(findings.context.language, newest.taken);
    let events = newest.events.unwrap_or_default();
    let words = match findings.context.language {
        Language::Fr => format!("du {taken}, {events} événements"),
        Language::En => format!("of {taken}, {events} events"),
    };
    let well = SystemClock.now() - newest.taken <= BACKUP_AGE_MAX;
    findings.judge(well, "backup", name, words, advice);
}
