//! Questions on a terminal, or answers from a pipe.

use std::io::{BufRead, IsTerminal, Write};

use guichet_engine::rules::text::Language;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::output::printable;

/// How often a question is put again before the command gives up.
const TRIES: usize = 5;
/// The longest answer that is read, in bytes.
const LONGEST: usize = 2_000;

/// One after the other.
pub(super) struct Ask<'a> {
    context: &'a mut Context,
    /// Answers that come from a pipe are shown as if they had been typed.
    echo: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn new(context: &'a mut Context) -> Self {
        Self { context, echo: !std::io::stdin().is_terminal() }
    }

    pub(super) fn language(&self) -> Language {
        self.context.language
    }

    /// The French or the English words.
    pub(super) fn say<'t>(&self, fr: &'t str, en: &'t str) -> &'t str {
        self.context.say(fr, en)
    }

    /// Says something that needs no answer.
    pub(super) fn tell(&mut self, words: &str) -> Result<(), Failure> {
        writeln!(self.context.out, "{words}")?;
        Ok(())
    }

    /// An answer that `read` takes; a wrong one is told why, and the question is put again. An empty answer is the
    /// proposal.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        proposal: Option<&str>,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        for _ in 0..TRIES {
            let answer = self.answer(question, proposal)?;
            match read(&answer) {
                Ok(value) => return Ok(value),
                Err(why) => writeln!(self.context.out, "  ✗ {why}")?,
            }
        }
        let words = self.say(
            "sans réponse utilisable, rien n’a été écrit",
            "without a usable answer, nothing was written",
        );
        Err(Failure::usage(format!("{question} : {words}")))
    }

    fn answer(&mut self, question: &str, proposal: Option<&str>) -> Result<String, Failure> {
        match proposal.filter(|proposal| !proposal.is_empty()) {
            Some(proposal) => write!(self.context.out, "{question} [{proposal}] > ")?,
            None => write!(self.context.out, "{question} > ")?,
        }
        self.context.out.flush()?;
        let mut line = String::new();
        let ended = std::io::stdin().lock().read_line(&mut line)? == 0;
        if ended && proposal.is_none() {
            writeln!(self.context.out)?;
            let words = self.say("la réponse manque", "the answer is missing");
            return Err(Failure::usage(format!("{question} : {words}")));
        }
        let typed = printable(line.trim());
        if typed.len() > LONGEST {
            return Ok(String::new());
        }
        if self.echo {
            writeln!(self.context.out, "{typed}")?;
        }
        Ok(if typed.is_empty() { proposal.unwrap_or_default().to_owned() } else { typed })
    }

    /// A text.
    pub(super) fn text(&mut self, question: &str, proposal: Option<&str>) -> Result<String, Failure> {
        let empty = self.say("il faut une réponse", "an answer is needed").to_owned();
        self.ask(question, proposal, |answer| {
            if answer.is_empty() { Err(empty.clone()) } else { Ok(answer.to_owned()) }
        })
    }

    /// A text that may be left out.
    pub(super) fn text_if_any(&mut self, question: &str) -> Result<String, Failure> {
        self.ask(question, Some(""), |answer| Ok(answer.to_owned()))
    }

    /// Yes or no.
    pub(super) fn yes(&mut self, question: &str, proposal: bool) -> Result<bool, Failure> {
        let (yes, no) = (self.say("oui", "yes").to_owned(), self.say("non", "no").to_owned());
        let wrong = format!("{yes} / {no}");
        let proposal = if proposal { yes } else { no };
        self.ask(question, Some(&proposal), |answer| match answer.to_lowercase().as_str() {
            "o" | "oui" | "y" | "yes" => Ok(true),
            "n" | "non" | "no" => Ok(false),
            _ => Err(wrong.clone()),
        })
    }

    /// One of a list that is shown first, by its number or its name; the place in the list.
    pub(super) fn one_of(
        &mut self,
        question: &str,
        choices: &[(String, String)],
        proposal: usize,
    ) -> Result<usize, Failure> {
        self.list(choices)?;
        self.chosen(question, choices, proposal)
    }

    /// Shows a list with its numbers.
    pub(super) fn list(&mut self, choices: &[(String, String)]) -> Result<(), Failure> {
        for (number, (name, words)) in choices.iter().enumerate() {
            let words = if words.is_empty() { String::new() } else { format!(" · {words}") };
            writeln!(self.context.out, "  {:>3}  {name}{words}", number + 1)?;
        }
        Ok(())
    }

    /// One of a list that has been shown before.
    pub(super) fn chosen(
        &mut self,
        question: &str,
        choices: &[(String, String)],
        proposal: usize,
    ) -> Result<usize, Failure> {
        let wrong = match self.language() {
            Language::Fr => format!("un nombre de 1 à {}, ou l’un des noms", choices.len()),
            Language::En => format!("a number from 1 to {}, or one of the names", choices.len()),
        };
        let proposed = (proposal + 1).to_string();
        self.ask(question, Some(&proposed), |answer| {
            let number = answer.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            let named = || choices.iter().position(|(name, _)| name == answer);
            number.filter(|n| *n < choices.len()).or_else(named).ok_or_else(|| wrong.clone())
        })
    }
}
