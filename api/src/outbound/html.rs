//! A letter's text as simple HTML that anybody can read: paragraphs, nothing to fetch, nothing to run, nothing that tells on
//! whoever opens it. Everything is escaped; the follow-up address is the only link.

use guichet_engine::rules::text::Language;

/// The text of a mail as HTML.
#[must_use]
pub fn html(subject: &str, text: &str, language: Language, link: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .map(|paragraph| {
            let lines: Vec<String> = paragraph.lines().map(|line| linked(line.trim_end(), link)).collect();
            format!("<p>{}</p>", lines.join("<br>\n"))
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n</head>\n\
         <body style=\"margin:1em auto;padding:0 1em;max-width:38em;font-family:sans-serif;font-size:1rem;\
         line-height:1.5;color:#1a1a1a;background:#ffffff\">\n<main>\n{}\n</main>\n</body>\n</html>\n",
        match language {
            Language::Fr => "fr",
            Language::En => "en",
        },
        escaped(subject),
        paragraphs.join("\n")
    )
}

/// A line, escaped, with the follow-up address as a link where it stands alone.
fn linked(line: &str, link: &str) -> String {
    if !link.starts_with("https://") && !link.starts_with("http://") {
        return escaped(line);
    }
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find(link) {
        let (before, from) = rest.split_at(at);
        let after = from.get(link.len()..).unwrap_or_default();
        out.push_str(&escaped(before));
        if after
            .chars()
            .next()
            .is_none_or(|next| !next.is_ascii_alphanumeric() && !"/?#@:%-_~".contains(next))
        {
            out.push_str(&format!("<a href=\"{0}\">{0}</a>", escaped(link)));
        } else {
            // The beginning of another address: whoever wrote it is not the town hall.
            out.push_str(&escaped(link));
        }
        rest = after;
    }
    out.push_str(&escaped(rest));
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            symbol if symbol.is_control() => out.push(' '),
            symbol => out.push(symbol),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text() {
        let text =
            "Bonjour <b>\"Jeanne\"</b> & co,\n\n<script src=//x.example></script>\n<img src=x onerror='a()'>";
        let page = html("Réponse </title><script>", text, Language::Fr, "https://ville.example/");
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"), "{page}");
        assert!(
            page.contains("<html lang=\"fr\">") && page.contains("&lt;b&gt;&quot;Jeanne&quot;"),
            "{page}"
        );
        assert_eq!(page.matches("<p>").count(), 2);
    }

    #[test]
    fn only_the_follow_up_address_is_a_link() {
        let link = "https://ville.example/suivi";
        let text = "Suivi : https://ville.example/suivi.\nhttps://evil.example/ https://ville.example/suivi.evil/ javascript:x";
        let page = html("s", text, Language::En, link);
        assert!(
            page.contains("<a href=\"https://ville.example/suivi\">https://ville.example/suivi</a>."),
            "{page}"
        );
        let elsewhere = html("s", "https://ville.example/suivi@evil.example", Language::En, link);
        assert!(!elsewhere.contains("<a "), "{elsewhere}");
        assert!(!html("s", "javascript:alert(1)", Language::En, "javascript:alert(1)").contains("<a "));
    }
}
