//! A language server on the checker: an editor shows findings while a sheet is written, completes its keys and names,
//! explains them, and finds where they are said, also across `extends`.
//!
//! The rules decide what is wrong and what is where ([`Index`](guichet_engine::rules::language::Index)); here is the
//! protocol. One file answers one kind of question; adding one is a file and a line in the list of `session.rs`.
//!
//! One thread reads, one checks, one answers. Questions are answered from the index, which is always in step with the
//! editor; a check of the whole catalogue takes longer and runs beside, on the texts as they stood when it began, once the
//! person has stopped typing for a moment.

mod actions;
mod address;
mod capabilities;
mod catalogue;
mod checker;
mod completion;
mod definition;
mod diagnostics;
mod documents;
mod hover;
mod message;
mod position;
mod session;
mod settings;
mod symbols;
mod view;
mod wire;

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};

use guichet_engine::rules::text::Language;

use checker::Checked;
use session::Session;
use wire::Frame;

/// The most messages that wait to be looked at; the editor waits when there are more.
const QUEUE: usize = 32;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The editor said that it was done, and then that we should go.
    AsAgreed,
    /// It left without a word.
    CutOff,
}

/// What wakes the session.
#[derive(Debug)]
enum Event {
    Came(Frame),
    Left,
    Checked(Checked),
}

/// Serves the editor at the other end of standard input and output until it leaves.
///
/// # Errors
/// If standard output cannot be written to.
pub(crate) fn serve(language: Language) -> io::Result<Ended> {
    let (events, came) = sync_channel(QUEUE);
    let reader = events.clone();
    // It ends with the process: nothing can interrupt a read of standard input.
    std::thread::Builder::new().name("lsp-reader".into()).spawn(move || read(&reader))?;
    let checker = checker::start(events)?;
    Session::new(language, io::stdout().lock(), checker).run(&came)
}

fn read(events: &SyncSender<Event>) {
    let mut reader = wire::Reader::new(io::stdin().lock());
    while let Ok(Some(frame)) = reader.next() {
        if events.send(Event::Came(frame)).is_err() {
            return;
        }
    }
    // Whoever has gone needs no telling.
    let _ = events.send(Event::Left);
}
