//! What somebody wrote now, apart from what they quote and from how they sign.

/// A text in two: what is new, and the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// What the sender wrote now.
    pub fresh: String,
    /// What they quote, and their signature.
    pub rest: String,
}

/// Lines at which a quotation of the whole mail begins, whatever follows (in lower case).
const SEPARATORS: [&str; 8] = [
    "-----original message-----",
    "-----message d'origine-----",
    "-----message d’origine-----",
    "-----message original-----",
    "----- mail original -----",
    "-------- message d'origine --------",
    "-------- original message --------",
    "________________________________",
];

/// Splits a reply. Where nothing is left that would be new, everything counts as new: better too much than nothing.
#[must_use]
pub fn split(text: &str) -> Split {
    let lines: Vec<&str> = text.lines().collect();
    let end = end_of_fresh(&lines);
    let (fresh, rest) = lines.split_at_checked(end).unwrap_or((&lines, &[]));
    // Answers written between quoted lines: those lines are new, the quoted ones are not.
    let (quoted, own): (Vec<&str>, Vec<&str>) = fresh.iter().partition(|line| is_quoted(line));
    let fresh = tidy(&own);
    if fresh.is_empty() {
        return Split { fresh: text.trim().to_owned(), rest: String::new() };
    }
    let rest: Vec<&str> = quoted.into_iter().chain(rest.iter().copied()).collect();
    Split { fresh, rest: tidy(&rest) }
}

fn end_of_fresh(lines: &[&str]) -> usize {
    for (index, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        let lower = trimmed.to_lowercase();
        if SEPARATORS.iter().any(|separator| lower.starts_with(separator)) {
            return index;
        }
        // The signature's mark (RFC 3676, 4.3); some programs lose the blank at its end.
        if *line == "-- " || *line == "--" {
            return index;
        }
        if is_attribution(lines.get(index..).unwrap_or_default()) || is_header_block(lines, index) {
            return index;
        }
    }
    lines.len()
}

/// « Le 3 nov. 2026 à 10:00, Ville <x@y> a écrit : », “On Tue, … wrote:”, on one line or broken over three.
fn is_attribution(lines: &[&str]) -> bool {
    let Some(first) = lines.first().map(|line| line.trim().to_lowercase()) else { return false };
    if !(first.starts_with("le ") || first.starts_with("on ") || first.starts_with("el ")) {
        return false;
    }
    let joined: String = lines.iter().take(3).map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let joined: String = joined.chars().take(400).collect::<String>().to_lowercase().replace('\u{a0}', " ");
    let ends = ["a écrit :", "a écrit:", "a ecrit :", "a ecrit:", "wrote:", "wrote :"];
    // The three lines may hold more than the attribution; a date stands before its end.
    ends.iter()
        .filter_map(|end| joined.find(end))
        .any(|at| joined.get(..at).is_some_and(|head| head.chars().any(|symbol| symbol.is_ascii_digit())))
}

/// Outlook's block: « De : … Envoyé : … » or “From: … Sent: …”, its lines one below the other.
fn is_header_block(lines: &[&str], index: usize) -> bool {
    let starts = |line: &str, names: &[&str]| {
        let line = line.trim_start_matches(['*', ' ', '>']).to_lowercase().replace('\u{a0}', " ");
        names.iter().any(|name| {
            line.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches(['*', ' ']).starts_with(':'))
        })
    };
    let begins = lines.get(index).is_some_and(|line| starts(line, &["de", "from", "expéditeur"]));
    let following = lines.iter().skip(index + 1).take(3);
    begins && following.into_iter().any(|line| starts(line, &["envoyé", "sent", "date", "à", "to"]))
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn tidy(lines: &[&str]) -> String {
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn what_is_quoted_is_cut_off() {
        for (text, fresh) in [
            ("Merci !\n\nLe 3 nov. 2026 à 10:00, Ville <b@v.example> a écrit :\n> Bonjour", "Merci !"),
            (
                "Merci\n\nLe mardi 3 novembre 2026 à 10:00,\nVille de Châlons\n<b@v.example> a écrit\u{a0}:\n\n> x",
                "Merci",
            ),
            ("Yes.\n\nOn Tue, Nov 3, 2026 at 10:00 AM Ville <b@v.example> wrote:\n> x", "Yes."),
            (
                "Voici.\n\nDe : Ville <b@v.example>\nEnvoyé : mardi 3 novembre 2026\nÀ : moi\n\nBonjour",
                "Voici.",
            ),
            ("Voici.\n\n*From:* Ville\n*Sent:* Tuesday\n\nHello", "Voici."),
            ("ok\n-----Message d'origine-----\nDe : x", "ok"),
            ("Voilà\n-- \nJeanne Dupont\n06 39 98 00 01", "Voilà"),
            ("> Quelle rue ?\nRue de la Marne.\n> Quel numéro ?\nLe 14.", "Rue de la Marne.\nLe 14."),
        ] {
            assert_eq!(split(text).fresh, fresh, "{text}");
        }
    }

    #[test]
    fn ordinary_sentences_are_not_taken_for_quotations() {
        for text in [
            "Le 3 novembre, un camion a abîmé le trottoir.\nMerci de venir.",
            "De nombreux voisins se plaignent.\nÀ bientôt.",
            "On the corner there is a hole.",
            "> tout est cité\n> rien de neuf",
        ] {
            let done = split(text);
            assert_eq!((done.fresh.as_str(), done.rest.as_str()), (text, ""));
        }
    }
}
