//! The summary slip (*bordereau*) of a request that is passed on to an administration elsewhere (CRPA L114-2): what is asked,
//! by whom, since when, with which files. It goes by e-mail with the files behind it, or as a letter that an agent prints.

use std::sync::Arc;

use guichet_engine::Entry;
use guichet_engine::rules::process::Field;
use guichet_engine::rules::request::{Contact, Personal, What};
use guichet_engine::rules::text::Language;
use tokio::io::AsyncReadExt;

use super::compose::{Composed, Occasion, addressed, ground};
use super::letter::{pdf, slip_letter};
use super::render::Values;
use super::values::{Ground, Reader, reference};
use super::{Means, OutFile, OutMessage, SendError};
use crate::attachments::{AttachmentError, StoredFile, named};
use crate::dossier::Dossier;
use crate::guichet::Guichet;

/// The most that the files of a mail may come to, in bytes: with what a mail adds to them (RFC 2045: a third) they pass
/// servers that take 25 MB.
pub const SLIP_BYTES_MAX: u64 = 15 * 1024 * 1024;
/// Slips are written in the language of the administrations that read them.
const LANGUAGE: Language = Language::Fr;

/// The mail of a slip, without its files, which [`attach`] puts behind it.
pub(super) fn mail(occasion: &Occasion<'_>, to: &str) -> Composed {
    let listed = occasion.known.organisation.administration(to);
    let Some(address) = listed.and_then(|listed| listed.email.clone()) else {
        return Composed::Unreachable("this administration has no e-mail address any more".into());
    };
    let (subject, body) = in_writing(occasion);
    Composed::Send(vec![addressed(occasion, (Means::Email, address), (subject, body), LANGUAGE, 0)])
}

/// The subject and the words of a slip. The subject names nobody: mail programs show it to whoever passes by.
pub(super) fn in_writing(occasion: &Occasion<'_>) -> (String, String) {
    let ground = ground(occasion, Reader::Requester, LANGUAGE);
    let number = reference(ground.request());
    let subject = ground.say(
        &format!("Transmission d’une demande qui relève de vous (CRPA L114-2), dossier {number}"),
        &format!("A request that is yours to decide is passed on to you (CRPA L114-2), file {number}"),
    );
    let opening = ground.say(
        "Madame, Monsieur,\n\nComme le prévoit l’article L114-2 du code des relations entre le public et l’administration, nous vous transmettons la demande suivante, qui relève de votre compétence. Son auteur en est informé : c’est à vous de lui répondre.",
        "Dear Sir or Madam,\n\nAs article L114-2 of the French code of relations between the public and the administration requires, we pass the following request on to you, because it is yours to decide. Its author has been told, and awaits your answer.",
    );
    let delays = ground.say(
        "Le délai au terme duquel le silence vaut rejet court depuis la date de réception indiquée ci-dessus ; celui au terme duquel il vaut acceptation, depuis votre propre réception (CRPA L114-3).",
        "The time after which silence means rejection counts from the date of receipt above; that after which it means acceptance, from your own receipt (CRPA L114-3).",
    );
    let parts =
        [opening, heading(&ground, &number), requester(&ground), asked(&ground), files(&ground), delays];
    let signed = [ground.collectivity().map(|it| it.name.get(LANGUAGE).to_owned()), ground.contact()];
    let signed: Vec<String> = signed.into_iter().flatten().collect();
    let parts = parts.into_iter().filter(|part| !part.is_empty()).chain([signed.join("\n")]);
    (subject, parts.collect::<Vec<_>>().join("\n\n"))
}

fn line(name: &str, value: &str) -> String {
    format!("{name}\u{a0}: {value}")
}

fn heading(ground: &Ground<'_>, number: &str) -> String {
    let request = ground.request();
    let first = request.first_received_at.unwrap_or(request.milestones.received);
    let title = ground.definition().title.get(ground.language);
    let mut lines = vec![
        ground.say("BORDEREAU DE TRANSMISSION", "SUMMARY SLIP"),
        line(&ground.say("Notre dossier", "Our file"), number),
        line(&ground.say("Objet", "About"), title),
        line(&ground.say("Reçue le", "Received on"), &ground.date(first)),
        line(&ground.say("Transmise le", "Passed on on"), &ground.date(ground.now)),
    ];
    let basis = request.forwarding.as_ref().and_then(|known| known.basis.as_deref());
    lines.extend(basis.map(|basis| line(&ground.say("Fondement", "Basis"), basis)));
    lines.join("\n")
}

/// Who asks, as far as they said: whoever answers has to reach them.
fn requester(ground: &Ground<'_>) -> String {
    let contact = contact_of(ground.history).cloned().unwrap_or_default();
    let given = [
        (ground.say("Nom", "Name"), contact.name),
        (ground.say("Courriel", "E-mail"), contact.email),
        (ground.say("Téléphone", "Telephone"), contact.phone),
        (ground.say("Adresse", "Address"), contact.address),
    ];
    let lines: Vec<String> =
        given.iter().filter_map(|(name, value)| Some(line(name, value.as_deref()?))).collect();
    let heading = ground.say("DEMANDEUR", "REQUESTER");
    if lines.is_empty() {
        return format!("{heading}\n{}", ground.say("Demande anonyme.", "Anonymous request."));
    }
    format!("{heading}\n{}", lines.join("\n"))
}

fn asked(ground: &Ground<'_>) -> String {
    let values = ground.values();
    let lines = in_words(&ground.definition().form, &values, ground.language, |_| true);
    let heading = ground.say("DEMANDE", "REQUEST");
    if lines.is_empty() { String::new() } else { format!("{heading}\n{}", lines.join("\n")) }
}

/// The fields of a form that are wanted, each in a line: its label, and its value as people write it.
pub(crate) fn in_words(
    fields: &[Field],
    values: &Values,
    language: Language,
    wanted: impl Fn(&str) -> bool,
) -> Vec<String> {
    let told = fields.iter().filter(|field| wanted(&field.field)).filter_map(|field| {
        let value = values.get(&format!("form.{}", field.field))?;
        let label = field.label.get(language).trim_end_matches(['?', ':', ' ', '\u{a0}', '\u{202f}']);
        Some(line(if label.is_empty() { &field.field } else { label }, value))
    });
    told.collect()
}

fn files(ground: &Ground<'_>) -> String {
    let files = named(&Dossier::of(ground.history, ground.request()).form);
    if files.is_empty() {
        return String::new();
    }
    let heading = ground.say("PIÈCES", "FILES");
    let ours = ground.say(
        "Les pièces qui n’accompagnent pas ce bordereau vous sont remises sur demande.",
        "Files that do not come with this slip are handed over when you ask for them.",
    );
    let lines: Vec<String> = files
        .iter()
        .map(|file| format!("- {} ({}, {} Kio)", file.name, file.kind, file.size.div_ceil(1024)))
        .collect();
    format!("{heading}\n{}\n{ours}", lines.join("\n"))
}

/// How to reach the requester, as they said when they made the request.
pub(crate) fn contact_of(history: &[Entry]) -> Option<&Contact> {
    history.iter().find_map(|entry| match &entry.event.what {
        What::Received(received) => received.requester.contact.as_ref().and_then(Personal::known),
        _ => None,
    })
}

/// Puts the slip as a letter, and the files of the request as far as [`SLIP_BYTES_MAX`] allows, behind its mail. What is
/// left out is on the list of the slip.
///
/// # Errors
/// [`SendError::Later`] while a file cannot be read that may be read later.
pub(crate) async fn attach(
    guichet: &Guichet,
    occasion: &Occasion<'_>,
    to: &str,
    message: &mut OutMessage,
) -> Result<(), SendError> {
    let letter = pdf(&slip_letter(occasion, to));
    let kind = "application/pdf".to_owned();
    message.files.push(OutFile { name: "bordereau.pdf".into(), kind, bytes: letter.into() });
    let request = &occasion.known.request;
    let mut room = SLIP_BYTES_MAX;
    for file in named(&Dossier::of(occasion.history, request).form) {
        if file.size <= room
            && let Some(bytes) = read(guichet, &request.tenant, &file).await?
        {
            room -= file.size;
            message.files.push(OutFile { name: file.name, kind: file.kind, bytes });
        }
    }
    Ok(())
}

/// The bytes of a file; none where it stands elsewhere, as those of requests do that were taken over from another system.
async fn read(guichet: &Guichet, tenant: &str, file: &StoredFile) -> Result<Option<Arc<[u8]>>, SendError> {
    let later = |error: &AttachmentError| SendError::Later(error.code().to_owned());
    let opened = guichet.attachments().open(tenant, &file.sha256).await.map_err(|error| later(&error))?;
    let Some(opened) = opened else { return Ok(None) };
    let mut bytes = Vec::new();
    // Never more than the file is said to be, whatever the store gives.
    let read = opened.reader.take(file.size).read_to_end(&mut bytes).await;
    read.map_err(|_| SendError::Later("file.store_unavailable".to_owned()))?;
    Ok(Some(bytes.into()))
}
