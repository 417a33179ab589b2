//! `guichet lsp`: the checker inside an editor.

use clap::Args;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use crate::lsp;

/// Serve an editor: findings, completion, explanations and definitions while a sheet is written
#[derive(Debug, Args)]
#[command(
    after_help = "The editor starts it and speaks the Language Server Protocol over standard input and output.\n\
    processes/manual.md, \"In an editor\", says what to write into the settings of yours.\n\
    Example (Helix): language-server.guichet = { command = \"guichet\", args = [\"lsp\", \"--lang\", \"fr\"] }"
)]
pub(crate) struct Lsp {
    /// Taken for editors that always give it: there is no other way to speak.
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human])?;
        let language = context.language;
        let served = tokio::task::spawn_blocking(move || lsp::serve(language)).await;
        match served.map_err(|error| Failure::found(error.to_string()))?? {
            lsp::Ended::AsAgreed => Ok(Verdict::Good),
            lsp::Ended::CutOff => Ok(Verdict::FoundWrong),
        }
    }
}
