//! How long a text message is for the network: in seven bits (3GPP TS 23.038, GSM 7-bit default alphabet) or, where one
//! character has no place there, in UCS-2.

/// The most segments of one text message, whatever the settings say.
pub const SEGMENTS_MAX: u32 = 10;

/// The basic table of the GSM 7-bit default alphabet, without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension: two septets each.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// In which alphabet a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Seven bits: 160 characters in one segment, 153 in each of several.
    Gsm7,
    /// UCS-2: 70 units in one segment, 67 in each of several.
    Ucs2,
}

/// The alphabet that a text needs, its length in that alphabet's units, and how many segments that makes.
#[must_use]
pub fn measure(text: &str) -> (Alphabet, usize, u32) {
    let septets = text.chars().map(septets).try_fold(0_usize, |sum, septets| Some(sum + septets?));
    let (alphabet, units, one, several) = match septets {
        Some(units) => (Alphabet::Gsm7, units, 160, 153),
        None => (Alphabet::Ucs2, text.encode_utf16().count(), 70, 67),
    };
    let segments = if units <= one { 1 } else { units.div_ceil(several) };
    (alphabet, units, u32::try_from(segments).unwrap_or(u32::MAX))
}

fn septets(symbol: char) -> Option<usize> {
    if BASIC.contains(symbol) { Some(1) } else { EXTENDED.contains(symbol).then_some(2) }
}

/// The text cut so that it takes no more than `segments`, with three dots where something is missing.
#[must_use]
pub fn cut_to(text: &str, segments: u32) -> String {
    let most = segments.clamp(1, SEGMENTS_MAX);
    if measure(text).2 <= most {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut = |end: usize| {
        let kept = ends.get(end).and_then(|at| text.get(..*at)).unwrap_or_default();
        format!("{}...", kept.trim_end())
    };
    // The longest beginning that fits: a longer one never takes fewer segments.
    let fitting = (0..ends.len()).collect::<Vec<_>>().partition_point(|end| measure(&cut(*end)).2 <= most);
    cut(fitting.saturating_sub(1))
}

/// The text in letters that seven bits hold: French typography and accents without their equal there are written simply.
#[must_use]
pub fn transliterated(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        if septets(symbol).is_some() {
            out.push(symbol);
            continue;
        }
        match symbol {
            '’' | '‘' | 'ʼ' | '′' => out.push('\''),
            '«' | '»' | '“' | '”' | '„' => out.push('"'),
            '\u{a0}' | '\u{202f}' | '\u{2009}' | '\t' => out.push(' '),
            '–' | '—' | '‑' | '−' => out.push('-'),
            '…' => out.push_str("..."),
            'œ' => out.push_str("oe"),
            'Œ' => out.push_str("OE"),
            'â' | 'á' | 'ã' => out.push('a'),
            'À' | 'Â' | 'Á' | 'Ã' => out.push('A'),
            'ê' | 'ë' => out.push('e'),
            'È' | 'Ê' | 'Ë' => out.push('E'),
            'î' | 'ï' | 'í' => out.push('i'),
            'Î' | 'Ï' | 'Í' => out.push('I'),
            'ô' | 'ó' | 'õ' => out.push('o'),
            'Ô' | 'Ó' | 'Õ' => out.push('O'),
            'û' | 'ú' => out.push('u'),
            'Û' | 'Ù' | 'Ú' => out.push('U'),
            'ç' => out.push('c'),
            'ÿ' => out.push('y'),
            '•' | '·' => out.push('-'),
            '°' => out.push('o'),
            // What has no simple form is kept: the message costs more, and says what it says.
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_as_networks_do() {
        assert_eq!(BASIC.chars().count(), 127);
        let of = |symbol: &str, times: usize| measure(&symbol.repeat(times));
        assert_eq!(of("e", 160), (Alphabet::Gsm7, 160, 1));
        assert_eq!(of("é", 161), (Alphabet::Gsm7, 161, 2));
        assert_eq!(of("a", 306), (Alphabet::Gsm7, 306, 2));
        assert_eq!(of("a", 307), (Alphabet::Gsm7, 307, 3));
        assert_eq!(of("€", 80), (Alphabet::Gsm7, 160, 1));
        assert_eq!(of("€", 81), (Alphabet::Gsm7, 162, 2));
        assert_eq!(of("ê", 70), (Alphabet::Ucs2, 70, 1));
        assert_eq!(of("ê", 71), (Alphabet::Ucs2, 71, 2));
        assert_eq!(
            of("🏛", 36),
            (Alphabet::Ucs2, 72, 2),
            "beyond the first plane a character takes two units"
        );
        assert_eq!(measure(""), (Alphabet::Gsm7, 0, 1));
    }

    #[test]
    fn what_is_too_long_is_cut_within_its_segments() {
        let long = "ê".repeat(400);
        let short = cut_to(&long, 3);
        assert_eq!(measure(&short).2, 3);
        assert!(short.ends_with("...") && short.chars().count() == 201, "{}", short.chars().count());
        assert_eq!(cut_to("Bonjour", 1), "Bonjour");
        assert_eq!(measure(&cut_to(&"🏛".repeat(500), 1)).2, 1);
        assert!(measure(&cut_to(&"a".repeat(100_000), 4_000_000_000)).2 <= SEGMENTS_MAX);
    }

    #[test]
    fn french_typography_fits_into_seven_bits_when_asked() {
        let text = "Votre demande « Nid-de-poule » à l’école est reçue… Où ? Cœur de ville, forêt";
        let simple = transliterated(text);
        assert_eq!(measure(&simple).0, Alphabet::Gsm7, "{simple}");
        assert_eq!(
            simple,
            "Votre demande \" Nid-de-poule \" à l'école est recue... Où ? Coeur de ville, foret"
        );
        assert_eq!(transliterated("漢"), "漢");
    }
}
