//! A session with one editor, from `initialize` to `exit`.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use gen_lsp_types::json_rpc::{Error, Id};
use gen_lsp_types::{
    CodeActionParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DocumentSymbolParams, ErrorCodes, Position, ReferenceParams, TextDocumentPositionParams, Uri,
};
use guichet_engine::rules::text::Language;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::catalogue::{CATALOGUES_MAX, Catalogue, root_of};
use super::checker::{Checked, Job};
use super::documents::Documents;
use super::message::{self, Incoming, error};
use super::settings::{Settings, language_of};
use super::view::View;
use super::wire::{self, Frame};
use super::{Ended, Event, actions, capabilities, completion, definition, diagnostics, hover, symbols};

/// How long nobody must have typed before a catalogue is checked.
const QUIET: Duration = Duration::from_millis(40);
/// How long a check is put off at most while somebody types on.
const PATIENCE: Duration = Duration::from_millis(400);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before `initialize`.
    New,
    /// In work.
    Open,
    /// After `shutdown`.
    Done,
}

/// What one message came to.
type Answer = Result<Value, Error>;

/// A session.
pub(super) struct Session<W> {
    output: W,
    stage: Stage,
    /// The language that the command was started with.
    language: Language,
    pub(super) settings: Settings,
    pub(super) documents: Documents,
    pub(super) catalogues: BTreeMap<PathBuf, Catalogue>,
    checker: Sender<Job>,
    /// Whether a check is under way.
    checking: bool,
    /// Since when a change has waited for its check.
    waiting: Option<Instant>,
    /// Whether it has been said that a file lies in no catalogue.
    said_outside: bool,
    /// The number of the next request that we make of the editor.
    asked: i64,
}

impl<W: Write> Session<W> {
    pub(super) fn new(language: Language, output: W, checker: Sender<Job>) -> Self {
        Self {
            output,
            stage: Stage::New,
            language,
            settings: Settings { language, ..Settings::default() },
            documents: Documents::default(),
            catalogues: BTreeMap::new(),
            checker,
            checking: false,
            waiting: None,
            said_outside: false,
            asked: 0,
        }
    }

    /// Serves until the editor leaves.
    pub(super) fn run(mut self, came: &Receiver<Event>) -> io::Result<Ended> {
        loop {
            let first = if self.waiting.is_some() && !self.checking {
                match came.recv_timeout(QUIET) {
                    Ok(event) => event,
                    Err(RecvTimeoutError::Timeout) => {
                        self.ask_for_checks();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return Ok(Ended::CutOff),
                }
            } else {
                let Ok(event) = came.recv() else { return Ok(Ended::CutOff) };
                event
            };
            // What has piled up is taken together: a question that was taken back is not worked out, and of many
            // changes only the last is checked.
            let batch: Vec<Event> = std::iter::once(first).chain(came.try_iter()).collect();
            if let Some(ended) = self.work(batch)? {
                return Ok(ended);
            }
            if self.waiting.is_some_and(|since| since.elapsed() > PATIENCE) {
                self.ask_for_checks();
            }
        }
    }

    fn work(&mut self, batch: Vec<Event>) -> io::Result<Option<Ended>> {
        let mut incoming = Vec::new();
        for event in batch {
            match event {
                Event::Came(Frame::Body(body)) => incoming.push(message::read(&body)),
                Event::Came(Frame::TooLarge) => incoming.push(Incoming::Malformed(
                    Id::Null,
                    error(ErrorCodes::InvalidRequest, "this message is larger than any that is read"),
                )),
                Event::Came(Frame::Garbage) => incoming.push(Incoming::Malformed(
                    Id::Null,
                    error(
                        ErrorCodes::ParseError,
                        "these bytes are no message: `Content-Length: …` is expected",
                    ),
                )),
                Event::Checked(checked) => self.publish(&checked)?,
                Event::Left => {
                    self.messages(incoming)?;
                    return Ok(Some(if self.stage == Stage::Done { Ended::AsAgreed } else { Ended::CutOff }));
                }
            }
        }
        self.messages(incoming)
    }

    fn messages(&mut self, incoming: Vec<Incoming>) -> io::Result<Option<Ended>> {
        let cancelled: HashSet<Id> = incoming.iter().filter_map(taken_back).collect();
        for message in incoming {
            match message {
                Incoming::Request(id, ..) if cancelled.contains(&id) => {
                    self.respond(&id, Err(error(message::CANCELLED, "taken back")))?;
                }
                Incoming::Request(id, method, params) => {
                    let answer = self.guarded(|session| session.request(&method, params));
                    let begun = method == "initialize" && answer.is_ok();
                    self.respond(&id, answer)?;
                    if begun {
                        self.stage = Stage::Open;
                    }
                }
                Incoming::Notification(method, _) if method == "exit" => {
                    return Ok(Some(if self.stage == Stage::Done { Ended::AsAgreed } else { Ended::CutOff }));
                }
                Incoming::Notification(method, params) if self.stage == Stage::Open => {
                    // What is only told cannot be refused: what was not understood is said in the editor's log.
                    if let Err(wrong) = self.guarded(|session| session.told(&method, params)) {
                        self.log(&format!("{method}: {}", wrong.message))?;
                    }
                }
                Incoming::Notification(..) | Incoming::Response => {}
                Incoming::Malformed(id, wrong) => self.respond(&id, Err(wrong))?,
            }
        }
        Ok(None)
    }

    /// No fault of ours ends the session: the editor is told that this one thing failed.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        catch_unwind(AssertUnwindSafe(|| work(self)))
            .unwrap_or_else(|_| Err(error(ErrorCodes::InternalError, "guichet failed at this, and goes on")))
    }

    fn request(&mut self, method: &str, params: Value) -> Answer {
        match (self.stage, method) {
            (Stage::New, "initialize") => {
                self.settings = Settings::agreed(self.language, &params);
                Ok(capabilities::offered(&self.settings))
            }
            (Stage::New, _) => Err(error(ErrorCodes::ServerNotInitialized, "`initialize` comes first")),
            (Stage::Done, _) => Err(error(ErrorCodes::InvalidRequest, "the session is over")),
            (Stage::Open, "initialize") => Err(error(ErrorCodes::InvalidRequest, "the session has begun")),
            (Stage::Open, "shutdown") => {
                self.stage = Stage::Done;
                Ok(Value::Null)
            }
            (Stage::Open, _) => self.question(method, params),
        }
    }

    /// The questions that are answered, one file each. About what lies in no catalogue there is nothing to say.
    fn question(&mut self, method: &str, params: Value) -> Answer {
        match method {
            "textDocument/completion" => self.at(params, completion::answer),
            "textDocument/hover" => self.at(params, hover::answer),
            "textDocument/definition" => self.at(params, definition::definition),
            "textDocument/references" => {
                let params: ReferenceParams = parameters(params)?;
                let (said_too, place) =
                    (params.context.include_declaration, params.text_document_position_params);
                let answer = self.view(place.text_document.uri);
                Ok(answer.map_or(Value::Null, |view| definition::references(&view, place.position, said_too)))
            }
            "textDocument/documentSymbol" => {
                let params: DocumentSymbolParams = parameters(params)?;
                Ok(self.view(params.text_document.uri).map_or(Value::Null, |view| symbols::answer(&view)))
            }
            "textDocument/codeAction" => {
                let params: CodeActionParams = parameters(params)?;
                let view = self.view(params.text_document.uri.clone());
                Ok(view.map_or(Value::Null, |view| actions::answer(&view, &params)))
            }
            _ => Err(error(ErrorCodes::MethodNotFound, format!("`{method}` is not offered"))),
        }
    }

    /// A question about a position.
    fn at(&self, params: Value, answer: impl FnOnce(&View<'_>, Position) -> Value) -> Answer {
        let params: TextDocumentPositionParams = parameters(params)?;
        let view = self.view(params.text_document.uri);
        Ok(view.map_or(Value::Null, |view| answer(&view, params.position)))
    }

    fn view(&self, uri: Uri) -> Option<View<'_>> {
        View::of(uri, &self.settings, &self.documents, &self.catalogues)
    }

    /// What the editor tells without wanting an answer.
    fn told(&mut self, method: &str, params: Value) -> Result<(), Error> {
        let failed = |io: io::Error| error(ErrorCodes::InternalError, io.to_string());
        match method {
            "initialized" => self.watch().map_err(failed),
            "textDocument/didOpen" => {
                let params: DidOpenTextDocumentParams = parameters(params)?;
                let item = params.text_document;
                self.opened(item.uri, item.version, item.text).map_err(failed)
            }
            "textDocument/didChange" => {
                let params: DidChangeTextDocumentParams = parameters(params)?;
                let (uri, version) =
                    (params.text_document.text_document_identifier.uri, params.text_document.version);
                let encoding = self.settings.encoding;
                if !self.documents.change(&uri, version, params.content_changes, encoding) {
                    return Err(error(ErrorCodes::InvalidParams, "this document is not open, or too large"));
                }
                self.changed(&uri);
                Ok(())
            }
            "textDocument/didClose" => {
                let params: DidCloseTextDocumentParams = parameters(params)?;
                self.documents.close(&params.text_document.uri);
                self.refresh_all().map_err(failed)
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => self.refresh_all().map_err(failed),
            "workspace/didChangeConfiguration" => {
                if let Some(language) = language_of(params.get("settings")) {
                    self.settings.language = language;
                    self.catalogues.values_mut().for_each(|catalogue| catalogue.revision += 1);
                    self.wait();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn opened(&mut self, uri: Uri, version: i32, text: String) -> io::Result<()> {
        if !self.documents.open(uri.clone(), version, text) {
            let words = self.settings.say("trop de documents sont ouverts", "too many documents are open");
            return self.show(&words);
        }
        let Some(path) = self.documents.get(&uri).and_then(|document| document.path.clone()) else {
            return Ok(());
        };
        let Some(root) = root_of(&path, &self.documents) else { return self.say_outside(&path) };
        if !self.catalogues.contains_key(&root) {
            self.make_room();
            self.catalogues.insert(root.clone(), Catalogue::new(root.clone()));
        }
        self.refresh(&root)
    }

    /// Forgets the catalogues in which nothing is open, if there are too many.
    fn make_room(&mut self) {
        let (documents, count) = (&self.documents, self.catalogues.len());
        if count >= CATALOGUES_MAX {
            self.catalogues.retain(|root, _| {
                documents
                    .iter()
                    .any(|(_, document)| document.path.as_ref().is_some_and(|p| p.starts_with(root)))
            });
        }
    }

    fn say_outside(&mut self, path: &Path) -> io::Result<()> {
        if std::mem::replace(&mut self.said_outside, true) {
            return Ok(());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let words = self.settings.say(
            format!(
                "{name} n’est dans aucun catalogue (pas de catalogue.yaml au-dessus) : guichet n’en dit rien"
            ),
            format!("{name} lies in no catalogue (no catalogue.yaml above it): guichet says nothing of it"),
        );
        self.show(&words)
    }

    fn changed(&mut self, uri: &Uri) {
        let Some((path, text)) = self
            .documents
            .get(uri)
            .and_then(|document| Some((document.path.clone()?, document.text.as_str())))
        else {
            return;
        };
        for catalogue in self.catalogues.values_mut() {
            if let Some(inside) = catalogue.inside(&path) {
                catalogue.put(&inside, text);
            }
        }
        self.wait();
    }

    fn refresh_all(&mut self) -> io::Result<()> {
        let roots: Vec<PathBuf> = self.catalogues.keys().cloned().collect();
        roots.iter().try_for_each(|root| self.refresh(root))
    }

    /// Reads a catalogue from the disk again.
    fn refresh(&mut self, root: &Path) -> io::Result<()> {
        let Some(catalogue) = self.catalogues.get_mut(root) else { return Ok(()) };
        let read = catalogue.refresh(&self.documents);
        self.wait();
        match read {
            Ok(()) => Ok(()),
            Err(wrong) => self.show(&crate::cli::folder_words(&wrong, self.settings.language)),
        }
    }

    fn wait(&mut self) {
        let waits = self.catalogues.values().any(|catalogue| catalogue.revision != catalogue.asked);
        if waits {
            self.waiting.get_or_insert_with(Instant::now);
        }
    }

    /// Has the first catalogue checked that has changed since its last check; the others follow.
    fn ask_for_checks(&mut self) {
        if self.checking {
            return;
        }
        let changed = self.catalogues.values_mut().find(|catalogue| catalogue.revision != catalogue.asked);
        let Some(catalogue) = changed else {
            self.waiting = None;
            return;
        };
        catalogue.asked = catalogue.revision;
        let files = catalogue.index.files();
        let job = Job { root: catalogue.root.clone(), revision: catalogue.revision, files };
        self.checking = self.checker.send(job).is_ok();
        self.waiting = None;
        self.wait();
    }

    /// Tells the editor what a check found, unless the texts have changed since: then another check follows.
    fn publish(&mut self, checked: &Checked) -> io::Result<()> {
        self.checking = false;
        let current = self.catalogues.get(&checked.root).filter(|c| c.revision == checked.revision);
        if let (Some(catalogue), Some(findings)) = (current, &checked.findings) {
            let files = diagnostics::of_files(findings, catalogue, &self.documents, &self.settings);
            for (path, shown) in files {
                self.publish_file(&checked.root, path, shown)?;
            }
        } else if checked.findings.is_none() {
            let words = "guichet failed to check this catalogue; `guichet check` shows how";
            self.log(words)?;
        }
        if self.waiting.is_none() {
            self.wait();
        }
        Ok(())
    }

    fn publish_file(
        &mut self,
        root: &Path,
        path: String,
        shown: Vec<gen_lsp_types::Diagnostic>,
    ) -> io::Result<()> {
        let Some(catalogue) = self.catalogues.get_mut(root) else { return Ok(()) };
        let version = catalogue.version(&path, &self.documents);
        let Some(uri) = catalogue.uri(&path, &self.documents) else { return Ok(()) };
        let told = (version, shown);
        if catalogue.told.get(&path) == Some(&told) {
            return Ok(());
        }
        let mut params = json!({ "uri": uri, "diagnostics": &told.1 });
        if let (Some(version), Some(object)) = (version, params.as_object_mut()) {
            object.insert("version".to_owned(), version.into());
        }
        catalogue.told.insert(path, told);
        self.tell("textDocument/publishDiagnostics", &params)
    }

    /// Asks the editor to say when files change that it does not show.
    fn watch(&mut self) -> io::Result<()> {
        if !self.settings.watches {
            return Ok(());
        }
        self.asked += 1;
        let watchers = ["**/*.yaml", "**/*.yml", "**/*.geojson"].map(|glob| json!({ "globPattern": glob }));
        let registration = json!({
            "id": "guichet-files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": watchers },
        });
        let request = json!({
            "jsonrpc": "2.0",
            "id": format!("guichet-{}", self.asked),
            "method": "client/registerCapability",
            "params": { "registrations": [registration] },
        });
        wire::write(&mut self.output, &request)
    }

    /// Shows words to the person.
    fn show(&mut self, words: &str) -> io::Result<()> {
        self.tell("window/showMessage", &json!({ "type": 3, "message": words }))
    }

    /// Writes words into the editor's log.
    fn log(&mut self, words: &str) -> io::Result<()> {
        self.tell("window/logMessage", &json!({ "type": 2, "message": words }))
    }

    fn tell(&mut self, method: &str, params: &Value) -> io::Result<()> {
        wire::write(&mut self.output, &json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    fn respond(&mut self, id: &Id, answer: Answer) -> io::Result<()> {
        let response = match answer {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(wrong) => json!({ "jsonrpc": "2.0", "id": id, "error": wrong }),
        };
        wire::write(&mut self.output, &response)
    }
}

/// The id of a request that a message takes back.
fn taken_back(message: &Incoming) -> Option<Id> {
    match message {
        Incoming::Notification(method, params) if method == "$/cancelRequest" => {
            serde_json::from_value(params.get("id")?.clone()).ok()
        }
        Incoming::Notification(..) | Incoming::Request(..) | Incoming::Response | Incoming::Malformed(..) => {
            None
        }
    }
}

/// The parameters of a message; what is wrong with them is told by its place, without their content.
fn parameters<P: DeserializeOwned>(params: Value) -> Result<P, Error> {
    serde_json::from_value(params)
        .map_err(|_| error(ErrorCodes::InvalidParams, "these parameters are not those of the protocol"))
}
