//! The dashboard as a page: made by the server, without a script, readable by a screen reader.

use std::fmt::Write;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use guichet_engine::rules::text::Language;
use guichet_projections::StatisticsLine;

use crate::dashboard::Dashboard;
use crate::http::App;
use crate::http::extract::Wishes;
use crate::http::problem::Problem;
use crate::vocabulary::{channel, stage};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#1b1b1b;background:#fff}table{border-collapse:collapse;margin:.5rem 0 1.5rem;width:100%}\
    caption{text-align:left;font-weight:600}th,td{border-bottom:1px solid #bbb;padding:.25rem .5rem;text-align:left}\
    td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}";

/// What a page writes, in the reader's language.
struct Words(Language);

impl Words {
    fn say<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        match self.0 {
            Language::Fr => fr,
            Language::En => en,
        }
    }
}

/// The dashboard of all collectivities.
pub(crate) async fn page(State(app): State<App>, wishes: Wishes) -> Result<Response, Problem> {
    if !app.open_figures {
        return Err(Problem::not_found());
    }
    let dashboard = app.guichet.dashboard(None).await?;
    let mut response = Html(html(&dashboard, &Words(wishes.language))).into_response();
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

fn html(dashboard: &Dashboard, words: &Words) -> String {
    let mut out = String::new();
    let language = words.say("fr", "en");
    let title = words.say("Guichet : tableau de bord", "Guichet: dashboard");
    let total = &dashboard.total;
    // Writing into a string cannot fail.
    let _ = write!(
        out,
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body><h1>{title}</h1>\
         <p>{} : <strong>{}</strong> ({} {}). {} : {} ; {} : {}.</p>",
        words.say("Demandes reçues", "Requests received"),
        total.requests,
        total.open,
        words.say("en cours", "still open"),
        words.say("Coût", "Cost"),
        euros(total.cost_cents),
        words.say("économie par rapport au guichet", "saving against the counter"),
        euros(total.saving_cents),
    );
    kept(&mut out, dashboard, words);
    let theme = |id: &str, language| dashboard.titles.theme(id, language);
    table(&mut out, (words.say("Par étape", "By stage"), &stage), &dashboard.by_stage, words);
    table(&mut out, (words.say("Par canal", "By channel"), &channel), &dashboard.by_channel, words);
    table(&mut out, (words.say("Par thème", "By theme"), &theme), &dashboard.by_theme, words);
    oldest(&mut out, dashboard, words);
    let position = dashboard.as_of.map(|position| position.to_string()).unwrap_or_default();
    let _ = write!(
        out,
        "<p>{} {} (UTC), position {position}.</p></body></html>",
        words.say("Chiffres au", "Figures as of"),
        dashboard.now.format("%Y-%m-%d %H:%M")
    );
    out
}

/// A caption, and what people call the rows.
type Named<'a> = (&'a str, &'a dyn Fn(&str, Language) -> String);

fn table(out: &mut String, (caption, name): Named<'_>, lines: &[StatisticsLine], words: &Words) {
    let _ = write!(
        out,
        "<table><caption>{caption}</caption><thead><tr><th scope=\"col\"></th><th class=\"n\" scope=\"col\">{}</th>\
         <th class=\"n\" scope=\"col\">{}</th></tr></thead><tbody>",
        words.say("Demandes", "Requests"),
        words.say("dont en cours", "of them open")
    );
    for line in lines {
        let key = line.key.first().cloned().flatten();
        let key = key.map_or_else(|| "–".to_owned(), |id| name(&id, words.0));
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(&key),
            line.requests,
            line.open
        );
    }
    out.push_str("</tbody></table>");
}

fn kept(out: &mut String, dashboard: &Dashboard, words: &Words) {
    let _ = write!(
        out,
        "<table><caption>{}</caption><thead><tr><th scope=\"col\"></th><th class=\"n\" scope=\"col\">{}</th>\
         <th class=\"n\" scope=\"col\">{}</th><th class=\"n\" scope=\"col\">{}</th></tr></thead><tbody>",
        words.say("Engagements tenus", "Commitments kept"),
        words.say("Tenus", "Kept"),
        words.say("sur (issue connue)", "of (outcome known)"),
        words.say("courent encore", "still running")
    );
    for line in &dashboard.kept {
        let rate = line.kept.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{} ({rate})</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(&dashboard.titles.commitment(line.key.as_deref().unwrap_or("–"), words.0)),
            line.on_time,
            line.known,
            line.running + line.paused
        );
    }
    out.push_str("</tbody></table>");
}

fn oldest(out: &mut String, dashboard: &Dashboard, words: &Words) {
    let _ = write!(
        out,
        "<h2>{}</h2><ol>",
        words.say("Attendent depuis le plus longtemps", "Waiting the longest")
    );
    for card in &dashboard.oldest_waiting {
        let _ = write!(
            out,
            "<li>{}, {} ({} {})</li>",
            escape(&card.process),
            escape(card.service.as_deref().unwrap_or("–")),
            words.say("depuis le", "since"),
            card.received.format("%Y-%m-%d")
        );
    }
    out.push_str("</ol>");
}

fn euros(cents: u64) -> String {
    format!("{},{:02} €", cents / 100, cents % 100)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup_and_cents_are_kept() {
        assert_eq!(escape("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
        assert_eq!(euros(123_405), "1234,05 €");
    }
}
