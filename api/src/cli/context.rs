//! What every command is given: where the data is, how to print, in which language.

use std::io::{BufWriter, IsTerminal, Stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use guichet_engine::rules::text::Language;

use super::failure::Failure;

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// The data folder; ./guichet-data if none is given.
    #[arg(long, global = true, value_name = "DIR", env = "GUICHET_DATA")]
    pub(crate) data: Option<PathBuf>,
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
    pub(crate) fn new(globals: Globals) -> Self {
        let language = match globals.lang {
            Some(Lang::Fr) => Language::Fr,
            Some(Lang::En) => Language::En,
            None => language_of_environment(|name| std::env::var(name).ok()),
        };
        Self {
            data_named: globals.data.is_some(),
            data: globals.data.unwrap_or_else(|| PathBuf::from("guichet-data")),
            format: globals.format,
            language,
            out: BufWriter::new(std::io::stdout()),
            terminal: std::io::stderr().is_terminal(),
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

/// The first variable that names a language we know decides; `C` and `POSIX` name none.
fn language_of_environment(variable: impl Fn(&str) -> Option<String>) -> Language {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|v| !v.is_empty());
    set.and_then(|value| Language::from_code(value.split('.').next().unwrap_or_default())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
