//! The rows' way into the journal: read in batches, many commands in flight, every row accounted for.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use csv::ByteRecord;
use guichet_engine::journal::JournalError;
use guichet_engine::rules::language::diagnostic::{Diagnostic, Fault, locate_all, near};
use guichet_engine::rules::language::source::{Mark, Sources};
use guichet_engine::rules::text::Text;
use guichet_engine::{EngineError, Submission};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::aside::{AsideFile, aside_path};
use super::map::ImportMap;
use super::row::{Columns, Reader};
use crate::Guichet;

/// Rows read before their outcomes are counted and the kept ones written, in the order of the file.
const BATCH: usize = 1024;
/// Commands under way at once: enough for one fsync to serve many.
const FLYING: usize = 64;

/// Finds the neighbourhood of coordinates (latitude, longitude, in degrees, WGS 84).
pub type Locate = Arc<dyn Fn(f64, f64) -> Option<String> + Send + Sync>;

/// An import to be run.
pub struct Import<'a> {
    /// The engine.
    pub guichet: &'a Guichet,
    /// The map.
    pub map: &'a ImportMap,
    /// The files that the map was read from.
    pub sources: &'a Sources,
    /// The table.
    pub file: &'a Path,
    /// The collectivity that receives all rows, whatever the map says.
    pub tenant: Option<&'a str>,
    /// Finds the neighbourhood of coordinates (latitude, longitude), where the map asks for it.
    pub locate: Option<Locate>,
}

/// What became of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows read.
    pub rows: u64,
    /// Rows that became a request.
    pub imported: u64,
    /// Rows that were imported before.
    pub repeated: u64,
    /// Rows kept aside.
    pub aside: u64,
    /// Where they are kept.
    pub aside_file: Option<PathBuf>,
    /// Why rows were kept aside, and how many for each reason, the most frequent first.
    pub reasons: Vec<(Text, u64)>,
    /// Imported and repeated rows by process.
    pub processes: Vec<(String, u64)>,
    /// Whether it was stopped before the end of the file.
    pub stopped: bool,
    /// Bytes of the file read so far, and its size: for a progress bar.
    pub bytes: (u64, u64),
}

/// Why an import cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The table cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Table {
        /// The file.
        path: PathBuf,
        /// What the system or the reader of tables said.
        source: std::io::Error,
    },
    /// The map does not fit the table or the catalogue.
    #[error("the map does not fit")]
    Map(Vec<Diagnostic>),
    /// Rows cannot be kept aside.
    #[error("rows cannot be kept aside in `{path}`: {source}")]
    Aside {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine could not go on. What was acknowledged stands; run the import again to go on.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

enum Outcome {
    Imported(String),
    Repeated(String),
    Aside(Text),
}

impl Import<'_> {
    /// Imports every row, and tells `progress` after each batch. When `stop` becomes true, what is under way is finished
    /// and the rest is left for another run.
    ///
    /// # Errors
    /// [`ImportError`]; rows acknowledged before stand.
    pub async fn run(
        &self,
        stop: &AtomicBool,
        progress: &mut (dyn FnMut(&Summary) + Send),
    ) -> Result<Summary, ImportError> {
        let unreadable = |source| ImportError::Table { path: self.file.to_owned(), source };
        let open = File::open(self.file).map_err(unreadable)?;
        let size = open.metadata().map_err(unreadable)?.len();
        let mut table = csv::ReaderBuilder::new()
            .delimiter(self.map.separator)
            .flexible(true)
            .from_reader(std::io::BufReader::new(open));
        let header = table.byte_headers().map_err(|error| unreadable(error.into()))?.clone();
        let columns = Columns::new(&header);
        self.fits(&columns)?;
        let path = aside_path(&self.guichet.options().data, self.file);
        let unkept = |source| ImportError::Aside { path: path.clone(), source };
        let mut aside = AsideFile::new(path.clone(), header, self.map.separator).map_err(unkept)?;
        let reader = self.reader(&columns);
        let mut tally =
            Tally { summary: Summary { bytes: (0, size), ..Summary::default() }, ..Tally::default() };
        loop {
            let batch = read_batch(&mut table).map_err(|error| unreadable(error.into()))?;
            if batch.is_empty() {
                break;
            }
            let outcomes = self.carry_out(&reader, &batch, stop).await?;
            for ((line, record), outcome) in batch.iter().zip(outcomes) {
                let Some(outcome) = outcome else {
                    tally.summary.stopped = true;
                    continue;
                };
                if let Outcome::Aside(reason) = &outcome {
                    aside.keep(*line, &reason.fr, record).map_err(unkept)?;
                }
                tally.count(outcome);
            }
            tally.summary.bytes.0 = table.position().byte();
            progress(&tally.summary);
            if tally.summary.stopped {
                break;
            }
        }
        let aside_file = aside.finish().map_err(unkept)?;
        Ok(tally.finish(aside_file))
    }

    /// One outcome for each row, in order; none for rows that were not begun when the import was stopped.
    async fn carry_out(
        &self,
        reader: &Reader<'_>,
        batch: &[(u64, ByteRecord)],
        stop: &AtomicBool,
    ) -> Result<Vec<Option<Outcome>>, ImportError> {
        let mut outcomes: Vec<Option<Outcome>> = Vec::new();
        outcomes.resize_with(batch.len(), || None);
        let mut flights = JoinSet::new();
        let places = Arc::new(Semaphore::new(FLYING));
        for (row, (_, record)) in batch.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            match reader.command(record) {
                Err(reason) => put(&mut outcomes, row, Outcome::Aside(reason)),
                Ok(submission) => {
                    let place = Arc::clone(&places).acquire_owned().await;
                    let guichet = self.guichet.clone();
                    flights.spawn(async move {
                        let outcome = land(&guichet, submission).await;
                        drop(place);
                        (row, outcome)
                    });
                }
            }
        }
        while let Some(landed) = flights.join_next().await {
            match landed {
                Ok((row, outcome)) => put(&mut outcomes, row, outcome?),
                Err(lost) => {
                    let reason = format!("a task was lost: {lost}");
                    return Err(EngineError::from(JournalError::Indeterminate { reason }).into());
                }
            }
        }
        Ok(outcomes)
    }

    fn reader<'a>(&'a self, columns: &'a Columns) -> Reader<'a> {
        let mut plans = HashMap::new();
        for rule in &self.map.rules {
            let tenant = self.tenant_of(rule.tenant.as_deref());
            if let Some(plan) = self.guichet.engine().definitions().in_force(tenant, &rule.process) {
                plans.insert((tenant.to_owned(), rule.process.clone()), plan);
            }
        }
        let locate: Option<Locate> = self.locate.clone();
        Reader { map: self.map, columns, tenant: self.tenant, plans, locate }
    }

    fn tenant_of<'a>(&'a self, rule: Option<&'a str>) -> &'a str {
        self.tenant.or(rule).unwrap_or(&self.map.tenant)
    }

    /// Whether the table has the columns, and the catalogue the processes and fields, that the map names.
    fn fits(&self, columns: &Columns) -> Result<(), ImportError> {
        let mut faults = Vec::new();
        // A column is told once, where it is first named: a map of another table names each of its columns many times.
        let mut told = HashSet::new();
        let missing = self.map.columns.iter().filter(|(column, _)| !columns.has(column));
        for (column, mark) in missing.filter(|(column, _)| told.insert(column)) {
            let (fr, en) = (
                format!("la table n’a pas de colonne « {column} »"),
                format!("the table has no column `{column}`"),
            );
            faults.push(Fault::error("import.unknown_column", *mark, fr, en));
        }
        for rule in &self.map.rules {
            let tenant = self.tenant_of(rule.tenant.as_deref());
            match self.guichet.engine().definitions().in_force(tenant, &rule.process) {
                None => faults.push(self.unknown_process(tenant, &rule.process, rule.mark)),
                Some(plan) => {
                    let known: Vec<&str> = plan.definition().form.iter().map(|f| f.field.as_str()).collect();
                    for (field, _, mark) in rule.form.iter().filter(|(f, _, _)| !known.contains(&f.as_str()))
                    {
                        let (fr, en) = (
                            format!("« {} » n’a pas de champ « {field} »", rule.process),
                            format!("`{}` has no field `{field}`", rule.process),
                        );
                        let fault = Fault::error("import.unknown_field", *mark, fr, en);
                        faults.push(fault.suggest(near(field, known.iter().copied())));
                    }
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(ImportError::Map(locate_all(faults, self.sources))) }
    }

    fn unknown_process(&self, tenant: &str, process: &str, mark: Mark) -> Fault {
        let (fr, en) = (
            format!("« {tenant} » ne propose pas de démarche « {process} »"),
            format!("`{tenant}` offers no process `{process}`"),
        );
        let known = self.guichet.engine().definitions().all_in_force(tenant);
        let names = known.iter().map(|plan| plan.definition().process.as_str());
        Fault::error("import.unknown_process", mark, fr, en).suggest(near(process, names))
    }
}

fn put(outcomes: &mut [Option<Outcome>], row: usize, outcome: Outcome) {
    if let Some(slot) = outcomes.get_mut(row) {
        *slot = Some(outcome);
    }
}

fn read_batch(
    table: &mut csv::Reader<std::io::BufReader<File>>,
) -> Result<Vec<(u64, ByteRecord)>, csv::Error> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut record = ByteRecord::new();
    while batch.len() < BATCH && table.read_byte_record(&mut record)? {
        let line = record.position().map(csv::Position::line).unwrap_or_default();
        batch.push((line, record.clone()));
    }
    Ok(batch)
}

/// Submits one row. A refusal is the row's; anything else is the engine's.
async fn land(guichet: &Guichet, submission: Submission) -> Result<Outcome, EngineError> {
    let process = match &submission.command {
        guichet_engine::rules::request::Command::Receive { process, .. } => process.clone(),
        _ => String::new(),
    };
    match guichet.submit(submission).await {
        Ok(receipt) if receipt.repeated => Ok(Outcome::Repeated(process)),
        Ok(_) => Ok(Outcome::Imported(process)),
        Err(EngineError::Rejected(rejection)) => {
            let fields: Vec<&str> = rejection.fields.iter().map(|fault| fault.pointer.as_str()).collect();
            let fields = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
            Ok(Outcome::Aside(Text::new(
                format!("{}{fields}", rejection.text.fr),
                format!("{}{fields}", rejection.text.en),
            )))
        }
        Err(EngineError::Journal(JournalError::CommandReused { .. })) => Ok(Outcome::Aside(Text::new(
            "cette ligne a déjà été importée avec un autre contenu",
            "this row was imported before with another content",
        ))),
        Err(EngineError::Journal(JournalError::TooLarge { what, .. })) => {
            Ok(Outcome::Aside(Text::new(format!("trop volumineux : {what}"), format!("too large: {what}"))))
        }
        Err(other) => Err(other),
    }
}

#[derive(Default)]
struct Tally {
    summary: Summary,
    reasons: HashMap<Text, u64>,
    processes: HashMap<String, u64>,
}

impl Tally {
    fn count(&mut self, outcome: Outcome) {
        self.summary.rows += 1;
        match outcome {
            Outcome::Imported(process) => {
                self.summary.imported += 1;
                *self.processes.entry(process).or_default() += 1;
            }
            Outcome::Repeated(process) => {
                self.summary.repeated += 1;
                *self.processes.entry(process).or_default() += 1;
            }
            Outcome::Aside(reason) => {
                self.summary.aside += 1;
                *self.reasons.entry(reason).or_default() += 1;
            }
        }
    }

    fn finish(self, aside_file: Option<PathBuf>) -> Summary {
        let mut summary = Summary { aside_file, ..self.summary };
        summary.reasons = self.reasons.into_iter().collect();
        summary.reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        summary.processes = self.processes.into_iter().collect();
        summary.processes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        summary
    }
}
