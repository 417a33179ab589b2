//! `guichet letter`: a letter ready to print.

use std::io::{IsTerminal, Write};

use clap::Args;
use guichet_engine::rules::records::access::Data;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::{find, opening, store};
use crate::outbound::letter::{LetterError, letter, pdf};

/// Write a letter that a request asks for, as PDF, onto standard output; that you open it is put on record first
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet letter A2023H028946 0-acknowledgement > letter.pdf")]
pub(crate) struct Letter {
    /// The request: its id, its tracking code, or its number in the system it was imported from.
    #[arg(value_name = "REQUEST")]
    request: String,
    /// The effect, as the outbox names it.
    #[arg(value_name = "EFFECT")]
    effect: String,
    /// Its collectivity, where several have the same number.
    #[arg(long)]
    tenant: Option<String>,
}

impl Letter {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human])?;
        if std::io::stdout().is_terminal() {
            let words = context.say(
                "une lettre est un PDF : envoyez-la dans un fichier (> lettre.pdf)",
                "a letter is a PDF: send it into a file (> letter.pdf)",
            );
            return Err(Failure::usage(words.to_owned()));
        }
        let guichet = store::open_to_read(context).await?;
        let written = self.written(context, &guichet).await;
        guichet.close().await;
        context.out.write_all(&written?)?;
        Ok(Verdict::Good)
    }

    async fn written(&self, context: &Context, guichet: &crate::Guichet) -> Result<Vec<u8>, Failure> {
        let card = find::card(context, guichet, &self.request, self.tenant.as_deref()).await?;
        opening::noted(context, guichet, &card, Data::Dossier).await?;
        match letter(guichet, &card.tenant, card.request, &self.effect, guichet.now()).await {
            Ok(letter) => Ok(pdf(&letter)),
            Err(LetterError::Engine(error)) => Err(store::engine(&error, context.language)),
            Err(LetterError::Unknown) => Err(Failure::usage(context.say(
                "cette demande n’appelle aucune lettre de ce nom",
                "the request asks for no letter by this name",
            ))),
            Err(LetterError::NoAddress) => Err(Failure::usage(context.say(
                "le demandeur n’a pas donné d’adresse postale, ou elle a été effacée",
                "the requester gave no postal address, or it was erased",
            ))),
        }
    }
}
