//! How a page is written: its template, its language, and the headers that keep everything else out.

use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use guichet_engine::rules::text::Language;
use minijinja::{Environment, Value, context};

use crate::http::App;
use crate::http::dress::OwnForm;
use crate::http::extract::language_of;
use crate::http::flat_form::Flat;
use crate::http::problem::Problem;

const TEMPLATES: [(&str, &str); 9] = [
    ("base.html", include_str!("../../../../pages/base.html")),
    ("catalogue.html", include_str!("../../../../pages/catalogue.html")),
    ("process.html", include_str!("../../../../pages/process.html")),
    ("received.html", include_str!("../../../../pages/received.html")),
    ("follow.html", include_str!("../../../../pages/follow.html")),
    ("sign_in.html", include_str!("../../../../pages/sign_in.html")),
    ("account.html", include_str!("../../../../pages/account.html")),
    ("payment.html", include_str!("../../../../pages/payment.html")),
    ("problem.html", include_str!("../../../../pages/problem.html")),
];

/// Only our own style sheet is loaded, forms go nowhere else, and nobody shows the page inside another one (CSP 3).
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A reader of pages.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// The collectivity.
    pub(super) tenant: String,
    /// The language: as the address says, else as the browser does.
    pub(super) language: Language,
    /// Whether the address says it, so that links must.
    chosen: bool,
}

impl Reader {
    pub(super) fn new(tenant: &str, query: &Flat, headers: &HeaderMap) -> Self {
        let chosen = query.one("lang").and_then(Language::from_code);
        let language = chosen.unwrap_or_else(|| language_of(headers));
        Self { tenant: tenant.to_owned(), language, chosen: chosen.is_some() }
    }

    /// The ending of addresses that keeps the language.
    pub(super) fn ending(&self) -> &'static str {
        match (self.chosen, self.language) {
            (false, _) => "",
            (true, Language::Fr) => "?lang=fr",
            (true, Language::En) => "?lang=en",
        }
    }

    /// A page of this reader's.
    pub(super) fn page(&self, app: &App, status: StatusCode, template: &str, inside: Value) -> Response {
        let definitions = app.guichet.engine().definitions();
        let organisation = definitions.organisation(&self.tenant);
        let town = organisation.as_ref().and_then(|organisation| organisation.tenant(&self.tenant));
        let town_name = town.map(|town| town.name.get(self.language).to_owned());
        let contact = town.map(|town| [&town.address, &town.phone, &town.email].map(String::clone).to_vec());
        let around = context! {
            tenant => &self.tenant,
            town => town_name,
            accounts => app.sign_in.is_by_email() || app.sign_in.has_citizens(),
            contact => contact.unwrap_or_default().into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            language => self.code(),
            ending => self.ending(),
        };
        let written = environment(self.language)
            .get_template(template)
            .and_then(|template| template.render(context! { ..inside, ..around }));
        match written {
            Ok(text) => dressed(status, text),
            Err(error) => {
                tracing::error!(template, %error, "a page cannot be written");
                Problem::internal().into_response()
            }
        }
    }

    /// What went wrong, as a page.
    pub(super) fn problem(&self, app: &App, problem: Problem) -> Response {
        let status = problem.status_code();
        let retry = problem.retry_after;
        let inside = context! { problem => problem.text.get(self.language) };
        let mut response = self.page(app, status, "problem.html", inside);
        if let Some(seconds) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn code(&self) -> &'static str {
        match self.language {
            Language::Fr => "fr",
            Language::En => "en",
        }
    }
}

fn dressed(status: StatusCode, text: String) -> Response {
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    response.extensions_mut().insert(OwnForm);
    response
}

/// The templates in one language: `t(fr, en)` says the words of it. Everything is escaped.
fn environment(language: Language) -> &'static Environment<'static> {
    static FRENCH: OnceLock<Environment<'static>> = OnceLock::new();
    static ENGLISH: OnceLock<Environment<'static>> = OnceLock::new();
    let place = match language {
        Language::Fr => &FRENCH,
        Language::En => &ENGLISH,
    };
    place.get_or_init(|| {
        let mut environment = Environment::new();
        environment.add_function("t", move |fr: String, en: String| match language {
            Language::Fr => fr,
            Language::En => en,
        });
        for (name, text) in TEMPLATES {
            if let Err(error) = environment.add_template(name, text) {
                tracing::error!(name, %error, "a template cannot be read");
            }
        }
        environment
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        for (name, _) in TEMPLATES {
            environment(Language::Fr).get_template(name).unwrap();
        }
    }
}
