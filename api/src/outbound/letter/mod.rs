//! Letters as PDF, ready to print: one sheet of A4 folded in three shows the recipient in the right-hand window of a DL
//! envelope (NF Z 11-001), and nothing else of the letter.
//!
//! The font is the reader's own Helvetica; nothing is embedded. The tracking code stands where the designer's text has
//! it, and never in the reference or the file's properties.

mod effect;
mod font;

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

pub(crate) use effect::slip_letter;
pub use effect::{LetterError, letter};
use font::{coded, lines, width};

/// Points in a millimetre.
const MM: f32 = 72.0 / 25.4;
/// A4, in millimetres.
const WIDTH: f32 = 210.0;
const HEIGHT: f32 = 297.0;
/// The margin on the left and on the right, in millimetres.
const MARGIN: f32 = 22.0;
/// The window's first line, from the top of the sheet, and its left edge, in millimetres.
const WINDOW: (f32, f32) = (110.0, 52.0);
/// The width of an address line, in millimetres.
const WINDOW_WIDTH: f32 = 82.0;
/// The most lines of an address (NF Z 10-011).
const ADDRESS_LINES_MAX: usize = 6;
/// The most pages; what is longer is cut, and says so.
const PAGES_MAX: usize = 50;
/// The size of the text and the distance of its lines, in points.
const SIZE: f32 = 10.5;
const LEADING: f32 = 14.5;

/// A letter.
#[derive(Clone)]
pub struct Letter {
    /// The collectivity: its name, then its address and how to reach it, in lines.
    pub sender: Vec<String>,
    /// Who it goes to: name and address, in lines.
    pub recipient: Vec<String>,
    /// The place and the date, in words.
    pub dated: String,
    /// The request's reference, in words.
    pub reference: String,
    /// What it is about, in words.
    pub subject: String,
    /// What it says: paragraphs, parted by line ends.
    pub body: String,
    /// Who signs: the service, then the collectivity.
    pub signature: Vec<String>,
    /// The language, as a tag: `fr-FR`.
    pub language: &'static str,
}

/// Never prints who it is for, nor what it says.
impl std::fmt::Debug for Letter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Letter(…)")
    }
}

/// One line on its place: millimetres from the left, points from the bottom.
struct Line {
    x: f32,
    y: f32,
    size: f32,
    bold: bool,
    text: Vec<u8>,
}

/// The letter as a PDF. The same letter gives the same bytes.
#[must_use]
pub fn pdf(letter: &Letter) -> Vec<u8> {
    written(letter, &pages(letter))
}

/// From the top of the sheet, in millimetres, to the format's points from the bottom.
fn from_top(millimetres: f32) -> f32 {
    (HEIGHT - millimetres) * MM
}

/// The lines of each page.
fn pages(letter: &Letter) -> Vec<Vec<Line>> {
    let mut first = head(letter);
    let most = (WIDTH - 2.0 * MARGIN) * MM;
    let mut y = from_top(112.0);
    let mut pages = Vec::new();
    let bottom = from_top(HEIGHT - 24.0);
    let subject = lines(&letter.subject, SIZE * 1.1, most).into_iter().map(|line| (line, true));
    let body = letter.body.lines().flat_map(|line| lines(line, SIZE, most)).map(|line| (line, false));
    let space = || std::iter::once((Vec::new(), false));
    let all = subject.chain(space()).chain(body).chain(space()).chain(space());
    for (text, bold) in all {
        if y < bottom {
            pages.push(std::mem::take(&mut first));
            y = from_top(25.0);
        }
        // A page does not begin with an empty line.
        if pages.is_empty() || !text.is_empty() || !first.is_empty() {
            first.push(Line { x: MARGIN, y, size: SIZE, bold, text });
            y -= LEADING;
        }
    }
    let height = LEADING * f32::from(u16::try_from(letter.signature.len()).unwrap_or(u16::MAX));
    if y - height < bottom {
        // Nobody signs across two pages.
        pages.push(std::mem::take(&mut first));
        y = from_top(25.0);
    }
    for signed in &letter.signature {
        first.push(Line { x: WINDOW.0, y, size: SIZE, bold: false, text: coded(signed) });
        y -= LEADING;
    }
    pages.push(first);
    if pages.len() > PAGES_MAX {
        pages.truncate(PAGES_MAX);
        if let Some(last) = pages.last_mut() {
            last.push(Line { x: MARGIN, y: bottom - LEADING, size: SIZE, bold: true, text: coded("[…]") });
        }
    }
    number(&mut pages);
    pages
}

/// What stands above the text: sender, window, date, reference.
fn head(letter: &Letter) -> Vec<Line> {
    let mut head = Vec::new();
    let mut y = from_top(22.0);
    for (index, line) in letter.sender.iter().enumerate() {
        let size = if index == 0 { 12.0 } else { 9.0 };
        // Beside the window, never in it.
        for text in lines(line, size, (WINDOW.0 - MARGIN - 8.0) * MM).into_iter().take(3) {
            head.push(Line { x: MARGIN, y, size, bold: index == 0, text });
            y -= size + 3.0;
        }
    }
    let mut y = from_top(WINDOW.1);
    let address = letter.recipient.iter().flat_map(|line| lines(line, SIZE, WINDOW_WIDTH * MM));
    for text in address.take(ADDRESS_LINES_MAX) {
        head.push(Line { x: WINDOW.0, y, size: SIZE, bold: false, text });
        y -= LEADING;
    }
    let dated = coded(&letter.dated);
    let right = (WIDTH - MARGIN) - width(&dated, SIZE) / MM;
    head.push(Line { x: right, y: from_top(96.0), size: SIZE, bold: false, text: dated });
    let reference = coded(&letter.reference);
    head.push(Line { x: MARGIN, y: from_top(103.0), size: 9.0, bold: false, text: reference });
    head
}

/// Pages are numbered where there is more than one.
fn number(pages: &mut [Vec<Line>]) {
    let count = pages.len();
    if count < 2 {
        return;
    }
    for (index, page) in pages.iter_mut().enumerate() {
        let text = coded(&format!("{} / {count}", index + 1));
        let x = (WIDTH - MARGIN) - width(&text, 9.0) / MM;
        page.push(Line { x, y: from_top(HEIGHT - 12.0), size: 9.0, bold: false, text });
    }
}

fn written(letter: &Letter, pages: &[Vec<Line>]) -> Vec<u8> {
    let mut next = Ref::new(1);
    let (catalog, tree, regular, bold, info) =
        (next.bump(), next.bump(), next.bump(), next.bump(), next.bump());
    let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (next.bump(), next.bump())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree).lang(TextStr(letter.language));
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
    for (id, name) in [(regular, &b"Helvetica"[..]), (bold, b"Helvetica-Bold")] {
        pdf.type1_font(id).base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    // Who it is for and what it is about are nobody's business before it is opened.
    pdf.document_info(info).title(TextStr(&letter.reference)).producer(TextStr("Guichet"));
    for ((page, contents), drawn) in ids.iter().zip(pages) {
        let mut written = pdf.page(*page);
        written.media_box(Rect::new(0.0, 0.0, WIDTH * MM, HEIGHT * MM)).parent(tree).contents(*contents);
        let mut resources = written.resources();
        resources.fonts().pair(Name(b"R"), regular).pair(Name(b"B"), bold);
        resources.finish();
        written.finish();
        let mut content = Content::new();
        content.begin_text();
        for line in drawn.iter().filter(|line| !line.text.is_empty()) {
            content.set_font(Name(if line.bold { b"B" } else { b"R" }), line.size);
            content.set_text_matrix([1.0, 0.0, 0.0, 1.0, line.x * MM, line.y]);
            content.show(Str(&line.text));
        }
        content.end_text();
        pdf.stream(*contents, &content.finish());
    }
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(paragraphs: usize) -> Letter {
        Letter {
            sender: vec!["Ville de Châlons-en-Champagne".into(), "place Foch, 51000 Châlons".into()],
            recipient: vec!["Jeanne Dupont".into(), "3, rue de l’Œuvre".into(), "51000 CHÂLONS".into()],
            dated: "le 3 novembre 2026".into(),
            reference: "Référence : 8d698e70".into(),
            subject: "Objet : votre demande".into(),
            body: "Madame, Monsieur,\n\nNous avons bien reçu votre demande. ".repeat(paragraphs),
            signature: vec!["Voirie et déplacements".into()],
            language: "fr-FR",
        }
    }

    #[test]
    fn a_letter_is_as_many_pages_as_it_needs_and_all_of_it_is_on_paper() {
        assert_eq!(pages(&example(1)).len(), 1);
        let long = example(60);
        let drawn = pages(&long);
        assert!(drawn.len() > 2, "{}", drawn.len());
        let words = |text: &[u8]| text.split(|code| *code == b' ').filter(|word| !word.is_empty()).count();
        let shown: usize = drawn.iter().flatten().map(|line| words(&line.text)).sum();
        assert!(shown > words(long.body.as_bytes()), "{shown}");
        for line in drawn.iter().flatten() {
            let right = line.x + width(&line.text, line.size) / MM;
            assert!(line.y > 5.0 * MM && line.y < HEIGHT * MM && right < WIDTH - 10.0, "{right}");
        }
    }

    #[test]
    fn only_the_recipient_shows_in_the_window() {
        // A sheet folded in three shows 99 mm from the top; the window is at most from 100 mm on, 45 to 90 mm down.
        let (letter, page) = (example(1), pages(&example(1)));
        let seen = page[0].iter().filter(|line| {
            let down = HEIGHT - line.y / MM;
            line.x + width(&line.text, line.size) / MM > 100.0 && (45.0..90.0).contains(&down)
        });
        assert_eq!(seen.count(), letter.recipient.len());
    }

    #[test]
    fn the_same_letter_is_the_same_bytes() {
        assert_eq!(pdf(&example(3)), pdf(&example(3)));
        assert!(pdf(&example(1)).starts_with(b"%PDF-1.7"));
    }
}
