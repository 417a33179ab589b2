//! What one can ask for, by theme or by words, and what each of it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use guichet_engine::rules::process::{Channel, Definition, Opener, Plan};
use guichet_engine::rules::request::RequesterInput;
use guichet_engine::rules::text::{Language, Text};
use guichet_projections::{CatalogueEntry, CatalogueOrder, CatalogueQuery};
use minijinja::value::Serde;
use minijinja::{Value, context};

use super::context::Filled;
use super::page::Reader;
use super::token;
use crate::http::App;
use crate::http::extract::At;
use crate::http::flat_form::Flat;
use crate::http::problem::Problem;
use crate::http::words;

/// The most entries of the catalogue on one page.
const ENTRIES_MAX: u32 = 1_000;
/// The most characters of a search.
const WORDS_MAX: usize = 200;

/// The catalogue of a collectivity, by theme, or what fits words.
pub(super) async fn list(
    State(app): State<App>,
    At(tenant): At<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = asked(query);
    let reader = Reader::new(&tenant, &query, &headers);
    match listed(&app, &reader, &query).await {
        Ok(inside) => reader.page(&app, StatusCode::OK, "catalogue.html", inside),
        Err(problem) => reader.problem(&app, problem),
    }
}

/// What stands behind the question mark; what cannot be read counts as nothing.
pub(super) fn asked(query: Option<String>) -> Flat {
    Flat::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default()
}

async fn listed(app: &App, reader: &Reader, query: &Flat) -> Result<Value, Problem> {
    let organisation = app.guichet.engine().organisation_now(&reader.tenant).await?;
    let organisation = organisation.ok_or_else(Problem::not_found)?;
    let words: String = query.one("q").unwrap_or_default().chars().take(WORDS_MAX).collect();
    let searched = !words.is_empty();
    let wanted = CatalogueQuery {
        tenant: Some(reader.tenant.clone()),
        search: searched.then(|| words.clone()),
        open_to: Some(Opener::Citizen),
        order: if searched { CatalogueOrder::Best } else { CatalogueOrder::Theme },
        limit: ENTRIES_MAX,
        ..CatalogueQuery::default()
    };
    let entries = app.guichet.read_models().catalogue(&wanted).await?.value;
    let found = !entries.is_empty();
    let title = |theme: &str| {
        let known = organisation.themes.iter().find(|known| known.theme == theme);
        known.map_or(theme, |known| known.title.get(reader.language)).to_owned()
    };
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    for entry in &entries {
        let name = title(&entry.theme);
        // What was searched for stays in the order of how well it fits.
        let group =
            if searched { groups.first_mut() } else { groups.iter_mut().find(|(known, _)| *known == name) };
        let shown = shown(entry, reader.language);
        match group {
            Some((_, entries)) => entries.push(shown),
            None if searched => groups.push((String::new(), vec![shown])),
            None => groups.push((name, vec![shown])),
        }
    }
    let themes: Vec<Value> =
        groups.into_iter().map(|(title, entries)| context! { title => title, entries => entries }).collect();
    Ok(context! { themes => themes, words => words, searched => searched, entries => found })
}

fn shown(entry: &CatalogueEntry, language: Language) -> Value {
    context! {
        process => entry.process.clone(),
        title => entry.title.get(language),
        description => entry.description.as_ref().map(|text| text.get(language)),
    }
}

/// A process and its form.
pub(super) async fn process(
    State(app): State<App>,
    At((tenant, theme, name)): At<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let reader = Reader::new(&tenant, &asked(query), &headers);
    let process = format!("{theme}/{name}");
    let blank = async || {
        let plan = offered(&app, &tenant, &process).await?;
        app.guichet.read_models().viewed(&tenant, &process).await?;
        let token = token::fresh(&app, &tenant, &process)?;
        let (flat, kept) = (Flat::default(), BTreeMap::new());
        let filled = Filled { flat: &flat, errors: &[], kept: &kept, language: reader.language };
        sheet(&app, &reader, &plan, &filled, &token, None)
    };
    match blank().await {
        Ok(inside) => reader.page(&app, StatusCode::OK, "process.html", inside),
        Err(problem) => reader.problem(&app, problem),
    }
}

/// A process in force that citizens may open, whatever the channel.
pub(super) async fn offered(app: &App, tenant: &str, process: &str) -> Result<Arc<Plan>, Problem> {
    let plan = app.guichet.engine().in_force_now(tenant, process).await?;
    plan.filter(|plan| plan.definition().open_to.contains(&Opener::Citizen)).ok_or_else(Problem::not_found)
}

/// Whether it can be opened on the web.
pub(super) fn is_online(definition: &Definition) -> bool {
    definition.channels.is_empty() || definition.channels.contains(&Channel::Web)
}

/// Whether the requester must agree before their data are used (GDPR art. 6(1)(a)).
pub(super) fn needs_consent(definition: &Definition) -> bool {
    definition.privacy.basis == "consent"
}

/// What the template of a process is given.
pub(super) fn sheet(
    app: &App,
    reader: &Reader,
    plan: &Plan,
    filled: &Filled<'_>,
    token: &str,
    problem: Option<&Text>,
) -> Result<Value, Problem> {
    let (definition, language) = (plan.definition(), reader.language);
    let definitions = app.guichet.engine().definitions();
    let others = definition.see_also.iter().filter_map(|name| {
        let other = definitions.in_force(&reader.tenant, name)?;
        let open = other.definition().open_to.contains(&Opener::Citizen);
        open.then(|| context! { process => name, title => other.definition().title.get(language) })
    });
    let consented = filled.flat.one("consent").is_some();
    let promises: Vec<String> =
        words::promises(definition).iter().map(|text| text.get(language).to_owned()).collect();
    Ok(context! {
        process => definition.process.clone(),
        title => definition.title.get(language),
        description => definition.description.as_ref().map(|text| text.get(language)),
        promises => promises,
        open => is_online(definition),
        token => token,
        fields => Value::from(Serde(&filled.fields(definition))),
        wrong => Value::from(Serde(&filled.wrong(definition))),
        problem => problem.map(|text| text.get(language)),
        contact_parts => contact_parts(filled),
        ways => ways(filled),
        privacy => privacy(definition, language),
        consent => needs_consent(definition),
        consented => consented,
        consent_missing => problem.is_some() && needs_consent(definition) && !consented,
        see_also => others.collect::<Vec<_>>(),
    })
}

fn contact_parts(filled: &Filled<'_>) -> Vec<Value> {
    let parts = [
        ("name", "text", "name", Text::new("Votre nom", "Your name")),
        ("email", "email", "email", Text::new("Votre adresse électronique", "Your e-mail address")),
        ("phone", "tel", "tel", Text::new("Votre téléphone", "Your telephone")),
        ("address", "text", "street-address", Text::new("Votre adresse postale", "Your postal address")),
    ];
    let part = |(name, kind, autocomplete, label): (&str, &str, &str, Text)| {
        context! {
            name => name, kind => kind, autocomplete => autocomplete, label => label.get(filled.language),
            value => filled.flat.one(&format!("contact.{name}")).unwrap_or_default(),
            errors => filled.contact_errors(name),
        }
    };
    parts.into_iter().map(part).collect()
}

fn ways(filled: &Filled<'_>) -> Vec<Value> {
    let all = [
        ("", Text::new("Comme vous voulez", "Whichever way suits you")),
        ("email", Text::new("Courriel", "E-mail")),
        ("sms", Text::new("SMS", "Text message")),
        ("letter", Text::new("Lettre", "Letter")),
    ];
    let chosen = filled.flat.one("contact.preferred").unwrap_or_default();
    let way = |(value, label): (&str, Text)| context! { value => value, label => label.get(filled.language), chosen => value == chosen };
    all.into_iter().map(way).collect()
}

/// What becomes of personal data (GDPR art. 13).
fn privacy(definition: &Definition, language: Language) -> Vec<String> {
    let privacy = &definition.privacy;
    let basis = match privacy.basis.as_str() {
        "legal_obligation" => Text::new("une obligation légale", "a legal obligation"),
        "consent" => Text::new("votre accord", "your consent"),
        "contract" => Text::new("un contrat", "a contract"),
        _ => Text::new("une mission d’intérêt public", "a task carried out in the public interest"),
    };
    let then = match privacy.then.as_str() {
        "anonymise" => Text::new("puis rendues anonymes", "then made anonymous"),
        "archive" => Text::new("puis archivées", "then archived"),
        _ => Text::new("puis supprimées", "then deleted"),
    };
    let text = Text::new(
        format!(
            "Vos données servent à traiter cette demande (base légale : {}). Elles sont gardées {} après sa clôture, {}.",
            basis.fr,
            privacy.retain.in_words(Language::Fr),
            then.fr
        ),
        format!(
            "Your data are used to deal with this request (legal basis: {}). They are kept for {} after it is closed, {}.",
            basis.en,
            privacy.retain.in_words(Language::En),
            then.en
        ),
    );
    vec![text.get(language).to_owned()]
}

/// Who asks, as the contact block says.
pub(super) fn requester(flat: &Flat, language: Language) -> RequesterInput {
    use guichet_engine::rules::process::Delivery;
    let one = |name: &str| flat.one(&format!("contact.{name}")).map(str::to_owned);
    RequesterInput {
        language,
        preferred: match flat.one("contact.preferred") {
            Some("email") => Some(Delivery::Email),
            Some("sms") => Some(Delivery::Sms),
            Some("letter") => Some(Delivery::Letter),
            Some(_) | None => None,
        },
        contact: guichet_engine::rules::request::Contact {
            social: None,
            name: one("name"),
            email: one("email"),
            phone: one("phone"),
            address: one("address"),
        },
        ..RequesterInput::default()
    }
}
