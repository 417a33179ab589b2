//! What every command is given: where the data is, how to print, in which language.

use std::io::{BufWriter, IsTerminal, Stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use guichet_engine::rules::text::Language;
use guichet_projections::Place;

use super::failure::Failure;
use crate::Options;
use crate::store::{Address, Store, StoreError, read_models_place};

/// Says where the journal stands, unless the command line does.
const STORE_VARIABLE: &str = "GUICHET_STORE";
/// Says where the read models stand, unless the command line does.
const READ_MODELS_VARIABLE: &str = "GUICHET_READ_MODELS";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// The data folder; ./guichet-data if none is given.
    #[arg(long, global = true, value_name = "DIR", env = "GUICHET_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Where the journal stands: sqlite:FOLDER (the data folder if nothing is said) or postgres://…; GUICHET_STORE says
    /// it too. Whoever uses this machine sees what stands here, so an address with a password is refused.
    #[arg(long, global = true, value_name = "STORE")]
    pub(crate) store: Option<Address>,
    /// A file that holds what --store would say, password included.
    #[arg(long, global = true, value_name = "FILE", env = "GUICHET_STORE_FILE", conflicts_with = "store")]
    pub(crate) store_file: Option<PathBuf>,
    /// Where the read models stand: beside the journal if nothing is said, else sqlite:FILE or postgres://…;
    /// GUICHET_READ_MODELS says it too.
    #[arg(long, global = true, value_name = "PLACE")]
    pub(crate) read_models: Option<Address>,
    /// How to print.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// The language of what is printed; that of the environment (LC_ALL, LC_MESSAGES, LANG) if none, else French.
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Lang>,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences for people.
    Human,
    /// JSON for programs.
    Json,
    /// Comma-separated values for spreadsheets.
    Csv,
    /// Findings for code hosts and editors (SARIF 2.1.0).
    Sarif,
}

/// A language on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// French.
    Fr,
    /// English.
    En,
}

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// Whether it was named on the command line or in the environment.
    pub(crate) data_named: bool,
    /// Where the journal stands.
    pub(crate) store: Store,
    /// Where the read models stand, if that was said.
    pub(crate) read_models: Option<Place>,
    /// How to print.
    pub(crate) format: Format,
    /// The language of what is printed.
    pub(crate) language: Language,
    /// Standard output.
    pub(crate) out: BufWriter<Stdout>,
    /// Whether standard error is a terminal, where a progress bar may be drawn.
    pub(crate) terminal: bool,
}

impl Context {
    /// What the command line and the environment say. Where the store cannot be made out, the failure says why, in the
    /// language of the context.
    pub(crate) fn new(globals: &Globals) -> (Self, Result<(), Failure>) {
        let variable = |name: &str| std::env::var(name).ok();
        let mut context = Self::without_store(globals);
        let named = named_store(globals, variable(STORE_VARIABLE), context.language);
        let named = named.map(|store| context.work_on(store)).and_then(|()| {
            context.read_models = named_place(globals, variable(READ_MODELS_VARIABLE), context.language)?;
            Ok(())
        });
        (context, named)
    }

    fn work_on(&mut self, store: Option<Store>) {
        if let Some(Store::Sqlite(folder)) = &store
            && !self.data_named
        {
            self.data.clone_from(folder);
            self.data_named = true;
        }
        self.store = store.unwrap_or_else(|| Store::Sqlite(self.data.clone()));
    }

    fn without_store(globals: &Globals) -> Self {
        let language = match globals.lang {
            Some(Lang::Fr) => Language::Fr,
            Some(Lang::En) => Language::En,
            None => language_of_environment(|name| std::env::var(name).ok()),
        };
        let data = globals.data.clone().unwrap_or_else(|| PathBuf::from("guichet-data"));
        Self {
            data_named: globals.data.is_some(),
            store: Store::Sqlite(data.clone()),
            read_models: None,
            data,
            format: globals.format,
            language,
            out: BufWriter::new(std::io::stdout()),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// What the command line says of how the engine is opened.
    pub(crate) fn options(&self) -> Options {
        let options = Options::new(&self.data).store(self.store.clone());
        match &self.read_models {
            Some(place) => options.read_models(place.clone()),
            None => options,
        }
    }

    /// The French or the English words.
    pub(crate) fn say<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Fr => fr,
            Language::En => en,
        }
    }

    /// Refuses a format that the command has no use for.
    pub(crate) fn only(&self, formats: &[Format]) -> Result<(), Failure> {
        if formats.contains(&self.format) {
            return Ok(());
        }
        let names: Vec<String> =
            formats.iter().filter_map(|f| f.to_possible_value()).map(|v| v.get_name().to_owned()).collect();
        let names = names.join(", ");
        Err(Failure::usage(match self.language {
            Language::Fr => format!("cette commande n’écrit que : {names}"),
            Language::En => format!("this command only prints: {names}"),
        }))
    }
}

/// What the command line, the environment or a file says of the store; none where nothing does.
fn named_store(
    globals: &Globals,
    variable: Option<String>,
    language: Language,
) -> Result<Option<Store>, Failure> {
    let text = match (&globals.store, &globals.store_file, variable) {
        (Some(address), _, _) if is_open_secret(address) => return Err(open_secret(language)),
        (Some(address), _, _) => address.secret().to_owned(),
        (None, Some(file), _) => std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))?,
        (None, None, Some(text)) if !text.trim().is_empty() => text,
        (None, None, Some(_) | None) => return Ok(None),
    };
    Store::parse(&text).map(Some).map_err(|error| Failure::usage(why_not(&error, language)))
}

/// What the command line or the environment says of the place of the read models; none where neither does.
fn named_place(
    globals: &Globals,
    variable: Option<String>,
    language: Language,
) -> Result<Option<Place>, Failure> {
    let text = match (&globals.read_models, variable) {
        (Some(address), _) if is_open_secret(address) => return Err(open_secret(language)),
        (Some(address), _) => address.secret().to_owned(),
        (None, Some(text)) if !text.trim().is_empty() => text,
        (None, Some(_) | None) => return Ok(None),
    };
    read_models_place(&text).map(Some).map_err(|error| Failure::usage(why_not(&error, language)))
}

fn open_secret(language: Language) -> Failure {
    Failure::usage(match language {
        Language::Fr => {
            "un mot de passe sur la ligne de commande se voit de toute la machine ; mettez l’adresse dans un fichier (--store-file) ou dans GUICHET_STORE, GUICHET_READ_MODELS"
        }
        Language::En => {
            "a password on the command line is seen by the whole machine; put the address into a file (--store-file) or into GUICHET_STORE, GUICHET_READ_MODELS"
        }
    })
}

/// Whether what stands on the command line holds a password. A folder has none.
fn is_open_secret(address: &Address) -> bool {
    matches!(Store::parse(address.secret()), Ok(store) if store.is_shared()) && address.has_password()
}

/// Why a store is none.
pub(crate) fn why_not(error: &StoreError, language: Language) -> String {
    match (error, language) {
        (_, Language::En) => error.to_string(),
        (StoreError::Unknown, Language::Fr) => {
            "un entrepôt s’écrit sqlite:DOSSIER, postgres://… ou kurrentdb://…, ce qui n’est pas le cas ici"
                .to_owned()
        }
        (StoreError::NoFolder, Language::Fr) => "`sqlite:` doit être suivi d’un dossier".to_owned(),
        (StoreError::NoTables, Language::Fr) => {
            "les modèles de lecture se tiennent dans sqlite:FICHIER ou postgres://…".to_owned()
        }
        (StoreError::NotBuilt(what), Language::Fr) => format!("ce guichet a été construit sans {what}"),
    }
}

/// The first variable that names a language we know decides; `C` and `POSIX` name none.
fn language_of_environment(variable: impl Fn(&str) -> Option<String>) -> Language {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|v| !v.is_empty());
    set.and_then(|value| Language::from_code(value.split('.').next().unwrap_or_default())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globals(store: Option<&str>) -> Globals {
        let store = store.map(|text| text.parse().unwrap());
        Globals {
            data: None,
            store,
            store_file: None,
            read_models: None,
            format: Format::Human,
            lang: Some(Lang::En),
        }
    }

    #[test]
    fn the_command_line_names_the_store_before_the_environment_does() {
        let named = |line: Option<&str>, variable: Option<&str>| {
            named_store(&globals(line), variable.map(str::to_owned), Language::En)
        };
        assert_eq!(named(None, None).unwrap(), None);
        assert_eq!(named(None, Some(" ")).unwrap(), None);
        assert_eq!(named(None, Some("sqlite:a")).unwrap(), Some(Store::Sqlite("a".into())));
        assert_eq!(named(Some("sqlite:b"), Some("sqlite:a")).unwrap(), Some(Store::Sqlite("b".into())));
        let refused = named(None, Some("mysql://u:s3cret@h/d")).unwrap_err();
        assert!(!refused.sentence().contains("s3cret"), "{}", refused.sentence());
    }

    #[test]
    fn a_password_does_not_stand_on_the_command_line() {
        let secret = "postgres://guichet:s3cret@db.example/guichet";
        let refused = named_store(&globals(Some(secret)), None, Language::En).unwrap_err();
        assert!(refused.sentence().contains("--store-file") && !refused.sentence().contains("s3cret"));
        assert!(!format!("{:?}", globals(Some(secret))).contains("s3cret"));
        assert!(named_store(&globals(None), Some(secret.to_owned()), Language::En).unwrap().is_some());
        let mut place = globals(None);
        place.read_models = Some(secret.parse().unwrap());
        let refused = named_place(&place, None, Language::En).unwrap_err();
        assert!(refused.sentence().contains("GUICHET_READ_MODELS") && !refused.sentence().contains("s3cret"));
        let mut from_file = globals(None);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{secret}\n")).unwrap();
        from_file.store_file = Some(file.path().to_owned());
        let Some(Store::Postgres(address)) = named_store(&from_file, None, Language::En).unwrap() else {
            panic!()
        };
        assert_eq!(address.secret(), secret);
    }

    #[test]
    fn a_store_in_a_folder_is_the_data_folder_unless_another_is_named() {
        let (context, named) = Context::new(&globals(Some("sqlite:here")));
        named.unwrap();
        assert_eq!((context.data, context.store), ("here".into(), Store::Sqlite("here".into())));
    }

    #[test]
    fn the_environment_decides_the_language_and_french_is_the_rest() {
        let with = |name: &'static str, value: &'static str| {
            language_of_environment(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(with("LANG", "en_GB.UTF-8"), Language::En);
        assert_eq!(with("LANG", "fr_FR.UTF-8"), Language::Fr);
        assert_eq!(with("LANG", "C.UTF-8"), Language::Fr);
        assert_eq!(with("LC_ALL", "en"), Language::En);
        assert_eq!(with("NOTHING", "en"), Language::Fr);
    }
}
