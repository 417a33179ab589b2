//! The words of a page, without anything that a page can do.

/// Elements whose content nobody reads.
const UNSEEN: [&str; 6] = ["script", "style", "head", "title", "template", "noscript"];
/// Elements that begin a line of their own.
const BLOCKS: [&str; 22] = [
    "p",
    "div",
    "br",
    "tr",
    "table",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "pre",
    "section",
    "article",
    "header",
    "footer",
    "blockquote",
    "dt",
];

/// The text of `page`: tags gone, entities read, quotations marked by `> ` as in plain mails, so that what cuts those off
/// works alike for both. Every byte is looked at once.
pub(super) fn to_text(page: &str) -> String {
    let mut out = Out::default();
    let mut rest = page;
    let mut unseen: Option<&str> = None;
    while let Some(at) = rest.find('<') {
        let (text, tail) = rest.split_at(at);
        if unseen.is_none() {
            out.words(text);
        }
        let Some(tag) = Tag::read(tail) else {
            // A lone `<` is a character like any other.
            if unseen.is_none() {
                out.words("<");
            }
            rest = tail.get(1..).unwrap_or_default();
            continue;
        };
        rest = tail.get(tag.length..).unwrap_or_default();
        match unseen {
            Some(name) => {
                if tag.closes && tag.name == name {
                    unseen = None;
                }
            }
            None => {
                unseen = UNSEEN.into_iter().find(|name| !tag.closes && *name == tag.name);
                out.tag(&tag);
            }
        }
    }
    if unseen.is_none() {
        out.words(rest);
    }
    out.text
}

struct Tag {
    name: String,
    closes: bool,
    length: usize,
}

impl Tag {
    /// The tag, comment or declaration at the start of `text`; what never ends is taken to reach to the end.
    fn read(text: &str) -> Option<Self> {
        if let Some(comment) = text.strip_prefix("<!--") {
            let length = comment.find("-->").map_or(text.len(), |at| at + 7);
            return Some(Self { name: String::new(), closes: false, length });
        }
        let inside = text.get(1..)?;
        let (closes, inside) = inside.strip_prefix('/').map_or((false, inside), |inside| (true, inside));
        let first = inside.chars().next()?;
        if !(first.is_ascii_alphabetic() || matches!(first, '!' | '?')) {
            return None;
        }
        let name = inside.chars().take_while(char::is_ascii_alphanumeric).take(24);
        let name: String = name.map(|symbol| symbol.to_ascii_lowercase()).collect();
        let mut quote = None;
        for (at, byte) in text.bytes().enumerate() {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), byte) if open == byte => quote = None,
                (None, b'>') => return Some(Self { name, closes, length: at + 1 }),
                _ => {}
            }
        }
        // A quotation mark that is never closed: the tag ends at its first bracket all the same.
        let length = text.find('>').map_or(text.len(), |at| at + 1);
        Some(Self { name, closes, length })
    }
}

#[derive(Default)]
struct Out {
    text: String,
    depth: usize,
    space: bool,
}

impl Out {
    fn tag(&mut self, tag: &Tag) {
        if tag.name == "blockquote" {
            self.line();
            self.depth = if tag.closes { self.depth.saturating_sub(1) } else { (self.depth + 1).min(8) };
        } else if matches!(tag.name.as_str(), "td" | "th") {
            self.space = true;
        } else if BLOCKS.contains(&tag.name.as_str()) {
            self.line();
            if tag.name == "p" && tag.closes {
                self.blank();
            }
        }
    }

    fn words(&mut self, text: &str) {
        for symbol in decoded(text).chars() {
            if symbol.is_whitespace() && symbol != '\u{a0}' {
                self.space = true;
                continue;
            }
            let begins = self.text.is_empty() || self.text.ends_with('\n');
            if begins {
                for _ in 0..self.depth {
                    self.text.push_str("> ");
                }
            } else if self.space {
                self.text.push(' ');
            }
            self.space = false;
            self.text.push(symbol);
        }
    }

    fn line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.space = false;
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

/// Text with its character references read: the few names that mail programs write, and numbers.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let end = tail.bytes().take(12).position(|byte| byte == b';');
        let name = end.and_then(|end| tail.get(1..end));
        match name.and_then(reference).zip(end) {
            Some((symbol, end)) => {
                out.push(symbol);
                rest = tail.get(end + 1..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']);
        let code = match hexadecimal {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|symbol| !symbol.is_control() || *symbol == '\n');
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, symbol)| *symbol)
}

const NAMED: [(&str, char); 40] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("agrave", 'à'),
    ("acirc", 'â'),
    ("ccedil", 'ç'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ocirc", 'ô'),
    ("ugrave", 'ù'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("oelig", 'œ'),
    ("aelig", 'æ'),
    ("Eacute", 'É'),
    ("Egrave", 'È'),
    ("Ecirc", 'Ê'),
    ("Agrave", 'À'),
    ("Acirc", 'Â'),
    ("Ccedil", 'Ç'),
    ("Ocirc", 'Ô'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("rsquo", '’'),
    ("lsquo", '‘'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("hellip", '…'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("euro", '€'),
    ("deg", '°'),
    ("bull", '•'),
];

#[cfg(test)]
mod tests {
    use super::to_text;

    #[test]
    fn a_page_becomes_its_words() {
        let page = "<html><head><title>x</title><style>p{color:red}</style></head><body>\
            <p>Bonjour,</p><p>Le lampadaire&nbsp;n&deg;&#160;12 est &eacute;teint<br>depuis <b>lundi</b> &amp; mardi.</p>\
            <script>alert('x<p>y')</script><ul><li>a</li><li>b</li></ul><!-- <p>non</p> --></body></html>";
        let text = to_text(page);
        assert_eq!(
            text.trim_end(),
            "Bonjour,\n\nLe lampadaire\u{a0}n°\u{a0}12 est éteint\ndepuis lundi & mardi.\n\na\nb"
        );
    }

    #[test]
    fn quotations_are_marked_and_broken_pages_are_read_all_the_same() {
        assert_eq!(to_text("oui<blockquote>avant<br>hier</blockquote>fin"), "oui\n> avant\n> hier\nfin");
        assert_eq!(to_text("2 < 3 & 4 > 1"), "2 < 3 & 4 > 1");
        assert_eq!(to_text("<a title=\"x>y\">lien</a>"), "lien");
        assert_eq!(to_text("<p class='a>texte"), "texte");
        assert_eq!(to_text("<"), "<");
        assert_eq!(to_text("a<script>b"), "a");
        assert_eq!(to_text("&#x1F600;&#xD800;&nope;"), "😀&#xD800;&nope;");
    }
}
