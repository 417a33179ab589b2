//! That somebody opens a dossier at the command line: put on record, under the name by which the machine knows them,
//! before anything of it is printed.

use guichet_engine::EngineError;
use guichet_engine::journal::JournalError;
use guichet_engine::rules::records::access::{Data, Ground};
use guichet_engine::rules::request::Actor;
use guichet_engine::rules::text::Language;
use guichet_projections::Card;

use super::context::Context;
use super::failure::Failure;
use super::store;
use crate::Guichet;
use crate::rights::Accesses;

/// The longest name of a user that is recorded, in characters; POSIX allows fewer.
const NAME_MAX: usize = 64;

/// Puts on record that whoever gave the command opens `what` of a request. Where that cannot be recorded, nothing may be
/// printed: beside a running server on SQLite this program can only read.
pub(crate) async fn noted(
    context: &Context,
    guichet: &Guichet,
    card: &Card,
    what: Data,
) -> Result<(), Failure> {
    let who = Actor::Operator(user());
    let place = (card.tenant.as_str(), &who);
    let noted = Accesses::default().note_of(guichet, place, card.request, (what, Ground::Console)).await;
    noted.map_err(|error| match error {
        EngineError::Journal(JournalError::ReadOnly { .. } | JournalError::Locked { .. }) => {
            Failure::store(match context.language {
                Language::Fr => {
                    "rien n’est ouvert, car l’accès ne peut être inscrit : un serveur tient ces données. Lisez le dossier par lui, avec la clé d’un agent, ou arrêtez-le d’abord"
                }
                Language::En => {
                    "nothing is opened, because the access cannot be recorded: a server holds this data. Read the dossier through it, with an agent's key, or stop it first"
                }
            })
        }
        error => {
            let why = store::engine(&error, context.language);
            let why = why.sentence();
            Failure::store(match context.language {
                Language::Fr => format!("rien n’est ouvert, car l’accès ne peut être inscrit : {why}"),
                Language::En => format!("nothing is opened, because the access cannot be recorded: {why}"),
            })
        }
    })
}

/// The user of the operating system under whom the program runs, by the process itself: what the environment says anybody
/// can change. Only for the super-user the environment's word on who called `sudo` is added; they could be anybody anyway.
fn user() -> String {
    let id = rustix::process::getuid().as_raw();
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_in(&known, id).unwrap_or_else(|| format!("uid-{id}"));
    let caller = std::env::var("SUDO_USER").ok().filter(|_| id == 0).filter(|caller| is_name(caller));
    caller.map_or_else(|| name.clone(), |caller| format!("{name}.{caller}"))
}

/// The name of a user in the table of users (`passwd(5)`); none for those whom a directory elsewhere knows.
fn name_in(table: &str, id: u32) -> Option<String> {
    let id = id.to_string();
    let mut lines = table.lines().map(|line| line.split(':'));
    let found = lines.find_map(|mut parts| {
        let name = parts.next()?;
        (parts.nth(1)? == id).then_some(name)
    });
    found.filter(|name| is_name(name)).map(str::to_owned)
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_number_and_odd_names_are_none() {
        let table =
            "root:x:0:0:root:/root:/bin/sh\nodd name:x:7:7::/:\ncamille:x:1000:1000::/home/c:/bin/sh\n";
        assert_eq!(name_in(table, 1000).as_deref(), Some("camille"));
        assert_eq!(name_in(table, 0).as_deref(), Some("root"));
        assert_eq!(name_in(table, 7), None);
        assert_eq!(name_in(table, 12), None);
        assert!(!is_name("a\nb") && !is_name(""));
    }
}
