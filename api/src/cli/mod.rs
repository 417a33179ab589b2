//! The command line. One file is one command; a new one is its file and one line in the list below.

mod accesses;
mod adopt;
mod backup;
mod calendars;
mod catalogue;
mod check;
mod context;
mod dashboard;
mod demo;
mod diagram;
mod diff;
mod doctor;
mod due;
mod explain;
mod failure;
mod files;
mod find;
mod import;
mod inbox;
mod key;
mod letter;
mod listen;
mod local;
mod log;
mod lsp;
mod mail_in;
mod migrate;
mod named;
mod new;
mod opening;
mod outbox;
mod output;
mod progress;
mod propose;
mod publish;
mod rebuild;
mod replay;
mod restore;
mod retire;
mod serve;
mod show;
mod simulate;
mod stats;
mod store;
mod test;
mod town;
mod verify;
mod versions;
mod what_if;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use catalogue::folder_words;
use context::{Context, Format, Globals};
use failure::{Failure, Verdict};

/// Receives, routes, follows and answers the requests of citizens, and keeps the promises made to them.
#[derive(Debug, Parser)]
#[command(name = "guichet", version, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 good · 1 found something wrong · 2 wrong usage · 3 cannot reach the store\n\
    Example: guichet demo --exit"
)]
struct Line {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    action: Action,
}

macro_rules! commands {
    ($( $module:ident::$name:ident ),* $(,)?) => {
        #[derive(Debug, Subcommand)]
        enum Action { $( $name($module::$name) ),* }

        impl Action {
            async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
                match self { $( Self::$name(command) => command.run(context).await ),* }
            }
        }
    };
}

commands! {
    demo::Demo,
    serve::Serve,
    stats::Stats,
    inbox::Inbox,
    show::Show,
    outbox::Outbox,
    accesses::Accesses,
    letter::Letter,
    explain::Explain,
    replay::Replay,
    import::Import,
    mail_in::MailIn,
    publish::Publish,
    propose::Propose,
    retire::Retire,
    versions::Versions,
    diff::Diff,
    migrate::Migrate,
    what_if::WhatIf,
    new::New,
    adopt::Adopt,
    check::Check,
    lsp::Lsp,
    test::Test,
    diagram::Diagram,
    due::Due,
    simulate::Simulate,
    key::Key,
    rebuild::Rebuild,
    backup::Backup,
    restore::Restore,
    files::Files,
    verify::Verify,
    doctor::Doctor,
}

/// Runs the command that the process was started with, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // Help and version are no errors; both go where clap sends them, and a closed pipe is nobody's fault.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { failure::USAGE } else { failure::GOOD });
        }
    };
    let (mut context, named) = Context::new(&line.globals);
    if let Err(failure) = named {
        return failure.tell(&context);
    }
    // Findings are all that the format can say.
    if context.format == Format::Sarif && !matches!(line.action, Action::Check(_)) {
        let sentence =
            context.say("seul `guichet check` écrit en SARIF", "only `guichet check` writes SARIF");
        return Failure::usage(sentence).tell(&context);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::found(format!("guichet: {error}")).tell(&context),
    };
    let ended = runtime.block_on(line.action.run(&mut context)).and_then(|verdict| {
        context.out.flush()?;
        Ok(verdict)
    });
    // A store that hangs must not keep a finished command from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match ended {
        Ok(Verdict::Good) => ExitCode::from(failure::GOOD),
        Ok(Verdict::FoundWrong) => ExitCode::from(failure::FOUND),
        Err(failure) => failure.tell(&context),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_an_example() {
        let command = Line::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "`guichet {}` has no example", sub.get_name());
            assert!(sub.get_about().is_some(), "`guichet {}` says nothing of itself", sub.get_name());
        }
    }
}
