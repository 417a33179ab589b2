//! How a command ends.

use std::io::Write;
use std::process::ExitCode;

use super::context::Context;

/// All is well.
pub(crate) const GOOD: u8 = 0;
/// Something wrong was found: an error in a catalogue, a refusal, a row that was kept aside.
pub(crate) const FOUND: u8 = 1;
/// The command was called wrongly: an unknown option, a file that does not exist.
pub(crate) const USAGE: u8 = 2;
/// The store cannot be reached: locked, read-only, full, damaged, or newer than this program.
pub(crate) const STORE: u8 = 3;

/// What a command that did its work found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing wrong.
    Good,
    /// Something wrong, which it has already printed.
    FoundWrong,
}

/// Why a command could not do its work: one sentence and an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    sentence: String,
}

impl Failure {
    /// Something in the data is wrong.
    pub(crate) fn found(sentence: impl Into<String>) -> Self {
        Self { code: FOUND, sentence: sentence.into() }
    }

    /// The command was called wrongly.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { code: USAGE, sentence: sentence.into() }
    }

    /// The store cannot be reached.
    pub(crate) fn store(sentence: impl Into<String>) -> Self {
        Self { code: STORE, sentence: sentence.into() }
    }

    /// With an exit code of its own: for programs that are called by others who expect theirs.
    pub(crate) fn exit(code: u8, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    /// The sentence.
    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Says it on standard error, unless whoever listened has gone, and gives the exit code.
    pub(crate) fn tell(&self, context: &Context) -> ExitCode {
        self.say(context);
        ExitCode::from(self.code)
    }

    /// Says it on standard error.
    pub(crate) fn say(&self, context: &Context) {
        if !self.sentence.is_empty() {
            let word = context.say("erreur", "error");
            // There is nobody left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "{word}: {}", self.sentence);
        }
    }
}

/// Writing to a reader that has gone (`guichet stats | head`) ends the command quietly.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self { code: GOOD, sentence: String::new() },
            _ => Self::found(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        if error.io_error_kind() == Some(std::io::ErrorKind::BrokenPipe) {
            return Self { code: GOOD, sentence: String::new() };
        }
        Self::found(error.to_string())
    }
}
