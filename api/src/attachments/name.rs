//! Names of files as people gave them, made harmless.

/// The longest name, in bytes of UTF-8: what a form takes.
pub const NAME_BYTES_MAX: usize = 255;
/// What a file is called that has no name.
const NAMELESS: &str = "document";

/// The name without folders, control characters and characters that turn the direction of writing or show nothing;
/// never empty, never only dots, and short enough for a form. The ending stays when it has to be cut.
pub(crate) fn cleaned(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let mut clean = String::new();
    for symbol in last.chars().filter(|symbol| !is_hidden(*symbol)).take(1_000) {
        let symbol = if symbol.is_whitespace() || "\"<>:|?*".contains(symbol) { ' ' } else { symbol };
        if symbol != ' ' || !clean.ends_with(' ') {
            clean.push(symbol);
        }
    }
    let clean = clean.trim_matches([' ', '.']);
    if clean.is_empty() { NAMELESS.to_owned() } else { shortened(clean) }
}

/// The name with this ending, for a file whose type changed while it was stored.
pub(crate) fn with_ending(name: &str, ending: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    shortened(&format!("{stem}.{ending}"))
}

fn shortened(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending = if ending.len() <= 16 && !ending.is_empty() { format!(".{ending}") } else { String::new() };
    let mut cut = NAME_BYTES_MAX - ending.len();
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{ending}", name.get(..cut).unwrap_or(NAMELESS))
}

/// Controls, marks of direction (Unicode TR 9, TR 36), joiners and other characters without width.
fn is_hidden(symbol: char) -> bool {
    symbol.is_control()
        || matches!(symbol,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_could_harm_and_keep_what_people_wrote() {
        for (given, kept) in [
            ("photo de l’école.jpg", "photo de l’école.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\Jeanne\\facture.pdf", "facture.pdf"),
            ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie x.pdf"),
            ("facture\u{202e}fdp.exe", "facturefdp.exe"),
            ("..", "document"),
            ("", "document"),
            ("dossier/", "dossier"),
            (".htaccess", "htaccess"),
            ("a  \t b.png", "a b.png"),
        ] {
            assert_eq!(cleaned(given), kept, "{given:?}");
        }
    }

    #[test]
    fn long_names_are_cut_between_characters_and_keep_their_ending() {
        let name = cleaned(&format!("{}.pdf", "é".repeat(400)));
        assert!(name.len() <= NAME_BYTES_MAX && name.ends_with("é.pdf"), "{name}");
        assert_eq!(with_ending("photo.heic", "jpg"), "photo.jpg");
    }
}
