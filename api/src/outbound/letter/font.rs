//! Helvetica, which every reader and printer brings: its alphabet (`WinAnsiEncoding`, ISO 32000-1 annex D) and the widths
//! of its letters (Adobe's font metrics for Helvetica).

/// Shown for a letter that the alphabet has not.
const UNKNOWN: u8 = b'?';

/// Widths of the codes 32 to 126, in thousandths of the font's size.
const LATIN: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// Widths of the codes 128 to 159.
const TYPOGRAPHY: [u16; 32] = [
    556, 350, 222, 556, 333, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350, 350, 222, 222, 333,
    333, 350, 556, 1000, 333, 1000, 500, 333, 944, 350, 500, 667,
];
/// Widths of the codes 160 to 255.
const ACCENTS: [u16; 96] = [
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333, 400, 584, 333, 333, 333,
    556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611, 667, 667, 667, 667, 667, 667, 1000, 722, 667, 667,
    667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667,
    611, 556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278, 556, 556, 556, 556,
    556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];

/// A text in the font's codes. Letters of other alphabets lose their accent where they have one, and are a question mark
/// where they do not.
pub(super) fn coded(text: &str) -> Vec<u8> {
    text.chars().map(code).collect()
}

fn code(symbol: char) -> u8 {
    match symbol {
        '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(symbol)).unwrap_or(UNKNOWN),
        '\t' => b' ',
        // Spaces of French typography; the font has one that does not break.
        '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => 0xa0,
        '€' => 0x80,
        '‚' => 0x82,
        'ƒ' => 0x83,
        '„' => 0x84,
        '…' => 0x85,
        '†' => 0x86,
        '‡' => 0x87,
        'ˆ' => 0x88,
        '‰' => 0x89,
        'Š' => 0x8a,
        '‹' => 0x8b,
        'Œ' => 0x8c,
        'Ž' => 0x8e,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' => 0x96,
        '—' => 0x97,
        '˜' => 0x98,
        '™' => 0x99,
        'š' => 0x9a,
        '›' => 0x9b,
        'œ' => 0x9c,
        'ž' => 0x9e,
        'Ÿ' => 0x9f,
        '\u{2010}' | '\u{2011}' | '\u{2212}' => b'-',
        other => without_accent(other),
    }
}

/// Letters of Europe's other Latin alphabets, as a French town hall types them.
fn without_accent(symbol: char) -> u8 {
    const GROUPS: [(&str, u8); 36] = [
        ("ĀĂĄǍ", b'A'),
        ("āăąǎ", b'a'),
        ("ĆĈĊČ", b'C'),
        ("ćĉċč", b'c'),
        ("ĎĐ", b'D'),
        ("ďđ", b'd'),
        ("ĒĔĖĘĚ", b'E'),
        ("ēĕėęě", b'e'),
        ("ĜĞĠĢ", b'G'),
        ("ĝğġģ", b'g'),
        ("ĤĦ", b'H'),
        ("ĥħ", b'h'),
        ("ĨĪĬĮİ", b'I'),
        ("ĩīĭįı", b'i'),
        ("Ĵ", b'J'),
        ("ĵ", b'j'),
        ("Ķ", b'K'),
        ("ķ", b'k'),
        ("ĹĻĽĿŁ", b'L'),
        ("ĺļľŀł", b'l'),
        ("ŃŅŇ", b'N'),
        ("ńņň", b'n'),
        ("ŌŎŐ", b'O'),
        ("ōŏő", b'o'),
        ("ŔŖŘ", b'R'),
        ("ŕŗř", b'r'),
        ("ŚŜŞȘ", b'S'),
        ("śŝşș", b's'),
        ("ŢŤŦȚ", b'T'),
        ("ţťŧț", b't'),
        ("ŨŪŬŮŰŲ", b'U'),
        ("ũūŭůűų", b'u'),
        ("Ŵ", b'W'),
        ("ŵ", b'w'),
        ("ŹŻ", b'Z'),
        ("źż", b'z'),
    ];
    GROUPS.iter().find(|(letters, _)| letters.contains(symbol)).map_or(UNKNOWN, |(_, plain)| *plain)
}

/// The width of codes at a size, in the size's unit.
pub(super) fn width(codes: &[u8], size: f32) -> f32 {
    let thousandths: u32 = codes.iter().map(|code| u32::from(advance(*code))).sum();
    // A line is far shorter than what a number of this kind holds exactly.
    f32::from(u16::try_from(thousandths / 10).unwrap_or(u16::MAX)) * size / 100.0
}

fn advance(code: u8) -> u16 {
    let place = |from: u8| usize::from(code - from);
    let known = match code {
        32..=126 => LATIN.get(place(32)),
        128..=159 => TYPOGRAPHY.get(place(128)),
        160..=255 => ACCENTS.get(place(160)),
        0..=31 | 127 => None,
    };
    known.copied().unwrap_or(0)
}

/// A paragraph in lines no wider than `most`. It breaks at plain spaces; a word that is too long is cut.
pub(super) fn lines(text: &str, size: f32, most: f32) -> Vec<Vec<u8>> {
    let codes = coded(text);
    let mut lines = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    for word in codes.split(|code| *code == b' ').filter(|word| !word.is_empty()) {
        let mut longer = line.clone();
        if !longer.is_empty() {
            longer.push(b' ');
        }
        longer.extend_from_slice(word);
        if width(&longer, size) <= most {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for code in word {
            line.push(*code);
            if width(&line, size) > most && line.len() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, vec![*code]));
            }
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_is_written_as_it_is_and_other_alphabets_visibly_not() {
        assert_eq!(coded("Œuvre d’été : 5\u{202f}€"), b"\x8cuvre d\x92\xe9t\xe9 : 5\xa0\x80");
        assert_eq!(coded("Łukasz Şahin"), b"Lukasz Sahin");
        assert_eq!(coded("Дом 🏠"), b"??? ?");
    }

    #[test]
    fn lines_are_never_wider_than_the_paper() {
        let text = "La commune vous répond dans les dix jours ouvrés. ".repeat(20) + &"x".repeat(400);
        let broken = lines(&text, 11.0, 300.0);
        assert!(broken.len() > 10 && broken.iter().all(|line| width(line, 11.0) <= 300.0));
        let letters = |text: &[u8]| text.iter().filter(|code| **code != b' ').count();
        assert_eq!(
            broken.iter().map(|line| letters(line)).sum::<usize>(),
            letters(text.replace('é', "e").as_bytes())
        );
        // H 722, e 556, l 222, v 500, e 556, t 278, i 222, c 500, a 556.
        assert!((width(b"Helvetica", 1000.0) - 4112.0).abs() < 10.0, "{}", width(b"Helvetica", 1000.0));
    }
}
