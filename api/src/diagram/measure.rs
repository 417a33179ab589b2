//! How wide a text may be at most, whatever the reader's sans-serif font, and where to break it.

/// The width of a character in thousandths of the font's size: that of wide fonts (DejaVu Sans, Verdana), so that a
/// text measured here fits in narrower ones too.
fn width_of(c: char) -> u32 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ';' | ':' | '!' | '\'' | '’' | '|' | ' ' | '\u{a0}'
        | '\u{202f}' => 400,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '·' | '"' => 480,
        'm' | 'w' | 'M' | 'W' | 'Œ' | 'œ' | 'Æ' | 'æ' | '%' | '@' | '—' | '…' | '→' | '≥' | '≤' | '≠'
        | '=' | '+' => 1050,
        'a'..='z' | '0'..='9' | 'à'..='ÿ' | '«' | '»' => 660,
        'A'..='Z' | 'À'..='Þ' => 800,
        c if c.is_ascii() => 800,
        // Whatever it is: nothing of one column is wider than this.
        _ => 1300,
    }
}

/// The width of `text` at `size` pixels; `bold` is wider.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let thousandths: u32 = text.chars().map(width_of).fold(0, u32::saturating_add);
    let factor = if bold { 1.1 } else { 1.0 };
    f64::from(thousandths) / 1000.0 * size * factor
}

/// `text` in lines no wider than `room`, at most `most` of them; what does not fit is cut, with an ellipsis.
pub(super) fn wrap(text: &str, size: f64, bold: bool, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        for piece in pieces(word, size, bold, room) {
            let tried = if line.is_empty() { piece.clone() } else { format!("{line} {piece}") };
            if width(&tried, size, bold) <= room || line.is_empty() {
                line = tried;
            } else {
                lines.push(std::mem::replace(&mut line, piece));
            }
            if lines.len() > most {
                return cut(lines, size, bold, room, most);
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    cut(lines, size, bold, room, most)
}

/// `text` shortened to about `most` characters, at a word's end where there is one.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let end = kept.rfind(' ').filter(|at| *at * 2 > kept.len()).unwrap_or(kept.len());
    format!("{}…", kept.split_at_checked(end).map_or(kept.as_str(), |(head, _)| head).trim_end())
}

/// A word that is wider than a line, in parts that are not.
fn pieces(word: &str, size: f64, bold: bool, room: f64) -> Vec<String> {
    let mut all = Vec::new();
    let mut piece = String::new();
    for c in word.chars() {
        piece.push(c);
        if width(&piece, size, bold) > room && piece.chars().count() > 1 {
            piece.pop();
            // After a hyphen rather than anywhere.
            let tail = piece
                .rfind('-')
                .and_then(|at| piece.split_at_checked(at + 1))
                .map(|(_, tail)| tail.to_owned());
            let tail = tail.filter(|tail| tail.len() + 1 < piece.len()).unwrap_or_default();
            piece.truncate(piece.len() - tail.len());
            all.push(std::mem::replace(&mut piece, format!("{tail}{c}")));
        }
    }
    all.push(piece);
    all
}

fn cut(mut lines: Vec<String>, size: f64, bold: bool, room: f64, most: usize) -> Vec<String> {
    if lines.len() <= most {
        return lines;
    }
    lines.truncate(most);
    if let Some(last) = lines.last_mut() {
        last.push('…');
        while width(last, size, bold) > room && last.chars().count() > 1 {
            last.pop();
            last.pop();
            last.push('…');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_what_is_cut_says_so() {
        let lines = wrap("Mise en sécurité provisoire du chantier", 13.0, true, 120.0, 5);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line, 13.0, true) <= 120.0), "{lines:?}");
        assert_eq!(lines.join(" "), "Mise en sécurité provisoire du chantier");
        let long = "a".repeat(500);
        let lines = wrap(&long, 12.0, false, 100.0, 2);
        assert!(lines.len() == 2 && lines[1].ends_with('…'), "{lines:?}");
        assert_eq!(wrap("director-general", 13.0, true, 110.0, 3), ["director-", "general"]);
        assert!(wrap("  ", 12.0, false, 100.0, 2).is_empty());
        assert_eq!(shortened("une règle assez longue", 12), "une règle…");
    }
}
