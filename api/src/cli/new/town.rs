//! The questions about a town that has no catalogue yet.

use std::path::Path;

use super::ask::Ask;
use super::create;
use crate::cli::failure::Failure;
use crate::starter::{Town, name_from, write_catalogue};

/// Asks for the town and writes its first catalogue.
pub(super) fn begin(ask: &mut Ask<'_>, folder: &Path) -> Result<(), Failure> {
    let intro = ask.say(
        "Il n’y a pas encore de catalogue dans ce dossier. Quelques questions sur la commune :",
        "There is no catalogue in this folder yet. A few questions about the town:",
    );
    ask.tell(intro)?;
    let name = ask.text(ask.say("Nom de la commune", "Name of the town"), None)?;
    let id: String = name_from(&name, '-').chars().filter(|symbol| *symbol != '-').collect();
    let id =
        if id.starts_with(|first: char| first.is_ascii_lowercase()) { id } else { format!("commune{id}") };
    let address = ask.text(ask.say("Adresse de la mairie", "Address of the town hall"), None)?;
    let phone = ask.text(ask.say("Téléphone", "Telephone"), None)?;
    let wrong = ask.say("une adresse comme mairie@commune.fr", "an address such as desk@town.fr").to_owned();
    let email = ask.ask(ask.say("Courriel", "E-mail"), None, |answer| match answer.split_once('@') {
        Some((local, host)) if !local.is_empty() && host.contains('.') && !answer.contains(' ') => {
            Ok(answer.to_owned())
        }
        _ => Err(wrong.clone()),
    })?;
    let language = ask.language();
    for file in write_catalogue(&Town { id, name, address, phone, email }) {
        let path = folder.join(&file.path);
        create(&path, &file.text, language)?;
        ask.tell(&format!("  + {}", path.display()))?;
    }
    let done = ask.say(
        "Les services et les agents d’exemple sont dans organisation.yaml : mettez-y les vôtres.\n",
        "The example services and staff are in organisation.yaml: put your own there.\n",
    );
    ask.tell(done)
}
