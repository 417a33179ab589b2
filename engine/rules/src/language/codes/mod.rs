//! Every kind of finding, explained: what it means, why it is one, what to do, and an example of both.
//!
//! A finding is made with the code of a page of this list, or not at all: tests hold the two together, and try every
//! example on a small town. A new kind of finding is its page here and the check that makes it.

mod catalogue;
mod circuits;
mod commitments;
mod expressions;
mod forms;
mod imports;
mod inheritance;
mod keys;
mod law;
mod messages;
mod names;
mod payment;
mod people;
mod rules;
mod scenarios;
mod tasks;
mod voting;
mod yaml;

use super::diagnostic::Severity;
use crate::text::Language;

/// What a piece of a sheet looks like, wrong and right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The file of the catalogue that it stands in.
    pub file: &'static str,
    /// What stands there in the small town of the tests; nothing for a file that the town does not have.
    pub place: &'static str,
    /// The same with the fault.
    pub bad: &'static str,
    /// The same, put right; nothing where the remedy is to leave it out.
    pub good: &'static str,
}

/// One kind of finding. Each pair of texts is French and English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Its stable name, such as `role.unknown`.
    pub code: &'static str,
    /// Whether it keeps a catalogue from being used.
    pub severity: Severity,
    /// What it is called.
    pub title: (&'static str, &'static str),
    /// Why it is a fault.
    pub cause: (&'static str, &'static str),
    /// What to do.
    pub remedy: (&'static str, &'static str),
    /// What it looks like.
    pub example: Example,
    /// Whether `guichet check --fix` may put it right by itself, where only one thing can have been meant.
    pub certain: bool,
}

/// Pages about one subject, in the order in which an officer meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chapter {
    /// What they are about, in French and English.
    pub title: (&'static str, &'static str),
    /// The pages.
    pub pages: &'static [Page],
}

/// All chapters.
pub const CHAPTERS: &[Chapter] = &[
    Chapter { title: ("le fichier comme YAML", "the file as YAML"), pages: yaml::PAGES },
    Chapter { title: ("clés, valeurs et noms", "keys, values and names"), pages: keys::PAGES },
    Chapter { title: ("le catalogue entier", "the catalogue as a whole"), pages: catalogue::PAGES },
    Chapter {
        title: ("noms de ce qui n’existe pas", "names of things that do not exist"),
        pages: names::PAGES,
    },
    Chapter { title: ("héritage", "inheritance"), pages: inheritance::PAGES },
    Chapter { title: ("calendriers et agents", "calendars and people"), pages: people::PAGES },
    Chapter { title: ("formulaires", "forms"), pages: forms::PAGES },
    Chapter { title: ("une règle", "one rule"), pages: expressions::PAGES },
    Chapter { title: ("les règles ensemble", "rules together"), pages: rules::PAGES },
    Chapter { title: ("tâches", "tasks"), pages: tasks::PAGES },
    Chapter { title: ("circuits", "circuits"), pages: circuits::PAGES },
    Chapter { title: ("engagements", "commitments"), pages: commitments::PAGES },
    Chapter { title: ("messages et titres", "messages and titles"), pages: messages::PAGES },
    Chapter { title: ("droit et données", "law and privacy"), pages: law::PAGES },
    Chapter { title: ("idées et votes", "ideas and votes"), pages: voting::PAGES },
    Chapter { title: ("paiements", "payments"), pages: payment::PAGES },
    Chapter { title: ("scénarios", "scenarios"), pages: scenarios::PAGES },
    Chapter { title: ("tables d’import", "maps of imports"), pages: imports::PAGES },
];

/// Every page, chapter by chapter.
pub fn all() -> impl Iterator<Item = &'static Page> {
    CHAPTERS.iter().flat_map(|chapter| chapter.pages)
}

/// The page of a code, if there is one.
#[must_use]
pub fn page(code: &str) -> Option<&'static Page> {
    all().find(|page| page.code == code)
}

impl Page {
    /// The page as plain text of several paragraphs.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let say = |(fr, en): (&'static str, &'static str)| match language {
            Language::Fr => fr,
            Language::En => en,
        };
        let severity = match self.severity {
            Severity::Error => say(("erreur", "error")),
            Severity::Warning => say(("avertissement", "warning")),
        };
        let fix = if self.certain {
            say((
                "`guichet check --fix` l’écrit à votre place quand une seule chose a pu être voulue.",
                "`guichet check --fix` writes it for you where only one thing can have been meant.",
            ))
        } else {
            say((
                "À vous de décider : `guichet check --fix` n’y touche pas.",
                "This is yours to decide: `guichet check --fix` leaves it alone.",
            ))
        };
        let mut text = format!(
            "{} ({severity})\n{}\n\n{}\n\n{}\n{fix}\n\n{} ({}) :\n{}",
            self.code,
            say(self.title),
            say(self.cause),
            say(self.remedy),
            say(("Incorrect", "Wrong")),
            self.example.file,
            indented(self.example.bad)
        );
        if language == Language::En {
            text = text.replacen(") :\n", "):\n", 1);
        }
        if !self.example.good.is_empty() {
            let word = say(("Correct :", "Right:"));
            text.push_str(&format!("\n\n{word}\n{}", indented(self.example.good)));
        }
        text
    }

    /// A warning rather than an error.
    const fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// One that `--fix` may put right.
    const fn certain(self) -> Self {
        Self { certain: true, ..self }
    }

    /// Why it is a fault, in French and English.
    const fn cause(self, fr: &'static str, en: &'static str) -> Self {
        Self { cause: (fr, en), ..self }
    }

    /// What to do, in French and English.
    const fn remedy(self, fr: &'static str, en: &'static str) -> Self {
        Self { remedy: (fr, en), ..self }
    }

    /// What stands in the town's file, and the same with the fault.
    const fn example(self, file: &'static str, good: &'static str, bad: &'static str) -> Self {
        Self { example: Example { file, place: good, bad, good }, ..self }
    }

    /// What should have been written, where it is not what stands in the town's file.
    const fn rather(self, good: &'static str) -> Self {
        Self { example: Example { good, ..self.example }, ..self }
    }
}

/// The beginning of an error's page.
const fn page_of(code: &'static str, fr: &'static str, en: &'static str) -> Page {
    let example = Example { file: "", place: "", bad: "", good: "" };
    Page {
        code,
        severity: Severity::Error,
        title: (fr, en),
        cause: ("", ""),
        remedy: ("", ""),
        example,
        certain: false,
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
