//! The questions about a new process.

use guichet_engine::rules::language::{Catalogue, SourceFile};
use guichet_engine::rules::process::{FieldType, Kind, Silence};
use guichet_engine::rules::text::{Language, Text};

use super::ask::Ask;
use crate::cli::failure::Failure;
use crate::starter::{Sketch, SketchedField, SketchedTask, name_from};

/// The most questions of a form that are asked for here; more are written into the sheet.
const MOST_FIELDS: usize = 12;

const KINDS: [(Kind, &str, &str, &str); 6] = [
    (Kind::Report, "report", "un problème à signaler", "something to be mended"),
    (
        Kind::Application,
        "application",
        "une demande qui aboutit à une décision",
        "an application that ends with a decision",
    ),
    (Kind::Question, "question", "une question", "a question"),
    (Kind::Complaint, "complaint", "une réclamation", "a complaint"),
    (Kind::Idea, "idea", "une idée pour la commune", "an idea for the town"),
    (Kind::Internal, "internal", "une démarche interne, entre agents", "an internal process, among staff"),
];

const TYPES: [(FieldType, &str, &str, &str); 9] = [
    (FieldType::Text, "text", "du texte", "text"),
    (FieldType::Boolean, "boolean", "oui ou non", "yes or no"),
    (FieldType::Choice, "choice", "un choix dans une liste", "one of a list"),
    (FieldType::Location, "location", "un lieu", "a place"),
    (FieldType::Date, "date", "une date", "a date"),
    (FieldType::Integer, "integer", "un nombre entier", "a whole number"),
    (FieldType::Money, "money", "un montant", "an amount of money"),
    (FieldType::Files, "files", "des pièces jointes", "attached files"),
    (FieldType::Person, "person", "une personne (donnée personnelle)", "a person (personal data)"),
];

/// Asks what the sheet will say.
pub(super) fn sketch(
    ask: &mut Ask<'_>,
    catalogue: &Catalogue,
    files: &[SourceFile],
) -> Result<Sketch, Failure> {
    let title_fr =
        ask.text(ask.say("Titre de la démarche, en français", "Title of the process, in French"), None)?;
    let title_en =
        ask.text_if_any(ask.say("Titre en anglais (facultatif)", "Title in English (may be left out)"))?;
    let process = name(ask, catalogue, files, &title_fr)?;
    let kind = kind(ask)?;
    let model = model(ask, files, kind)?;
    let words = ask.text_if_any(ask.say(
        "Mots-clés que les habitants chercheront, séparés par des virgules",
        "Keywords that citizens will look for, separated by commas",
    ))?;
    let keywords = listed(&words);
    let fields = fields(ask)?;
    let service = service(ask, catalogue)?;
    let tasks = visit(ask, catalogue, kind)?;
    let circuit = circuit(ask, files)?;
    let days = days(ask, model.is_some())?;
    let silence = if kind == Kind::Application { silence(ask)? } else { None };
    let qualified_by = None;
    let delivery = if model.is_some() { None } else { reply(files) };
    let title = Text::new(title_fr, title_en);
    let schema = schema(files);
    Ok(Sketch {
        process,
        model,
        title,
        kind,
        keywords,
        fields,
        qualified_by,
        service,
        tasks,
        circuit,
        days,
        silence,
        delivery,
        schema,
    })
}

fn listed(words: &str) -> Vec<String> {
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The theme and the short name, which no other sheet has.
fn name(
    ask: &mut Ask<'_>,
    catalogue: &Catalogue,
    files: &[SourceFile],
    title: &str,
) -> Result<String, Failure> {
    let language = ask.language();
    let themes = catalogue.organisation.themes.iter();
    let themes: Vec<(String, String)> =
        themes.map(|t| (t.theme.clone(), t.title.get(language).to_owned())).collect();
    let theme = ask.one_of(ask.say("Thème", "Theme"), &themes, 0)?;
    let theme = themes.get(theme).map(|(theme, _)| theme.clone()).unwrap_or_default();
    let (taken, empty) = (
        ask.say("une fiche de ce nom existe déjà", "there is a sheet of this name already").to_owned(),
        ask.say("des lettres et des chiffres", "letters and digits").to_owned(),
    );
    let question = ask.say("Nom court, celui du fichier", "Short name, that of the file").to_owned();
    ask.ask(&question, Some(&name_from(title, '-')), |answer| {
        let process = format!("{theme}/{}", name_from(answer, '-'));
        if process.ends_with('/') {
            return Err(empty.clone());
        }
        let exists = |file: &SourceFile| file.path.strip_suffix(".yaml") == Some(process.as_str());
        if files.iter().any(exists) { Err(taken.clone()) } else { Ok(process.clone()) }
    })
}

fn kind(ask: &mut Ask<'_>) -> Result<Kind, Failure> {
    let language = ask.language();
    let choices =
        KINDS.map(|(_, word, fr, en)| (word.to_owned(), Text::new(fr, en).get(language).to_owned()));
    let chosen = ask.one_of(ask.say("Qu’est-ce que c’est ?", "What is it?"), &choices, 0)?;
    Ok(KINDS.get(chosen).map_or(Kind::Report, |(kind, ..)| *kind))
}

/// The models of the catalogue; the one made for this kind is proposed.
fn model(ask: &mut Ask<'_>, files: &[SourceFile], kind: Kind) -> Result<Option<String>, Failure> {
    let proposed = model_for(files, kind);
    let mut choices =
        vec![("-".to_owned(), ask.say("aucun, tout écrire", "none, write everything").to_owned())];
    for file in files.iter().filter(|file| file.path.starts_with("models/")) {
        let about = file.text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        choices.push((file.path.trim_end_matches(".yaml").to_owned(), about.to_owned()));
    }
    if choices.len() == 1 {
        return Ok(None);
    }
    let proposal = choices.iter().position(|(name, _)| Some(name) == proposed.as_ref()).unwrap_or(0);
    let chosen = ask.one_of(ask.say("Partir d’un modèle ?", "Start from a model?"), &choices, proposal)?;
    Ok(choices.get(chosen).map(|(name, _)| name.clone()).filter(|_| chosen > 0))
}

/// The model that is made for this kind, else the one that all share.
pub(in crate::cli) fn model_for(files: &[SourceFile], kind: Kind) -> Option<String> {
    let word = KINDS.iter().find(|(known, ..)| *known == kind).map_or("", |(_, word, ..)| word);
    let says = format!("\nkind: {word}\n");
    let models: Vec<&SourceFile> = files.iter().filter(|file| file.path.starts_with("models/")).collect();
    let made = models.iter().find(|file| file.text.contains(&says));
    let shared = models.iter().find(|file| file.path == "models/commun.yaml");
    made.or(shared).map(|file| file.path.trim_end_matches(".yaml").to_owned())
}

fn fields(ask: &mut Ask<'_>) -> Result<Vec<SketchedField>, Failure> {
    let intro = ask
        .say(
            "Ce que l’on demande au-delà du modèle, une question après l’autre (rien pour finir) :",
            "What is asked beyond the model, one question after the other (nothing to end):",
        )
        .to_owned();
    ask.tell(&intro)?;
    let language = ask.language();
    let types = TYPES.map(|(_, word, fr, en)| (word.to_owned(), Text::new(fr, en).get(language).to_owned()));
    let mut fields: Vec<SketchedField> = Vec::new();
    while fields.len() < MOST_FIELDS {
        let label = ask.text_if_any(ask.say("Question", "Question"))?;
        if label.is_empty() {
            break;
        }
        // The list is long: once is enough.
        let shown = if fields.is_empty() { types.as_slice() } else { &[] };
        ask.list(shown)?;
        let chosen = ask.chosen(ask.say("Type de réponse", "Type of answer"), &types, 0)?;
        let kind = TYPES.get(chosen).map_or(FieldType::Text, |(kind, ..)| *kind);
        let options = if kind == FieldType::Choice { options(ask)? } else { Vec::new() };
        let required = ask.yes(ask.say("Réponse obligatoire ?", "Must it be answered?"), false)?;
        let wanted =
            if kind == FieldType::Location { "place".to_owned() } else { name_from(&telling(&label), '_') };
        let field = unused(&wanted, &fields);
        fields.push(SketchedField { field, label, kind, required, options });
    }
    Ok(fields)
}

fn options(ask: &mut Ask<'_>) -> Result<Vec<String>, Failure> {
    let wrong = ask.say("au moins deux réponses différentes", "at least two different answers").to_owned();
    let question = ask
        .say("Réponses possibles, séparées par des virgules", "Possible answers, separated by commas")
        .to_owned();
    ask.ask(&question, None, |answer| {
        let options = listed(answer);
        let mut names: Vec<String> = options.iter().map(|option| name_from(option, '_')).collect();
        names.sort();
        names.dedup();
        if options.len() < 2 || names.len() < options.len() || names.iter().any(String::is_empty) {
            return Err(wrong.clone());
        }
        Ok(options)
    })
}

/// The two words of a question that tell it from others.
fn telling(label: &str) -> String {
    const COMMON: [&str; 42] = [
        "a", "au", "aux", "avez", "ce", "ces", "cette", "d", "dans", "de", "des", "du", "en", "est", "et",
        "il", "l", "la", "le", "les", "ou", "pour", "qu", "que", "quel", "quelle", "qui", "quoi", "se",
        "sur", "t", "un", "une", "votre", "vous", "y", "the", "is", "what", "which", "your", "of",
    ];
    let plain = name_from(label, ' ');
    let words: Vec<&str> = plain.split(' ').filter(|word| !COMMON.contains(word)).take(2).collect();
    if words.is_empty() { plain } else { words.join(" ") }
}

/// A field's name, which begins with a letter and which no other field has.
fn unused(name: &str, fields: &[SketchedField]) -> String {
    let name = if name.starts_with(|first: char| first.is_ascii_lowercase()) {
        name.to_owned()
    } else {
        format!("question_{name}")
    };
    let name = name.trim_end_matches('_').to_owned();
    let taken = |name: &str| fields.iter().any(|field| field.field == name);
    let mut number = 2;
    let mut free = name.clone();
    while taken(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

fn service(ask: &mut Ask<'_>, catalogue: &Catalogue) -> Result<String, Failure> {
    let language = ask.language();
    let services = catalogue.organisation.services.iter();
    let services: Vec<(String, String)> =
        services.map(|s| (s.service.clone(), s.title.get(language).to_owned())).collect();
    let chosen = ask.one_of(ask.say("Service chargé de répondre", "Service that answers"), &services, 0)?;
    Ok(services.get(chosen).map(|(name, _)| name.clone()).unwrap_or_default())
}

/// The visit before the answer, if somebody makes one.
fn visit(ask: &mut Ask<'_>, catalogue: &Catalogue, kind: Kind) -> Result<Vec<SketchedTask>, Failure> {
    let question = ask.say(
        "Quelqu’un va-t-il voir sur place avant de répondre ?",
        "Does somebody go and see before you answer?",
    );
    if !ask.yes(question, kind == Kind::Report)? {
        return Ok(Vec::new());
    }
    let roles = roles(catalogue);
    let chosen = ask.one_of(ask.say("Qui ?", "Who?"), &roles, 0)?;
    let by = roles.get(chosen).map(|(role, _)| format!("role:{role}")).unwrap_or_default();
    Ok(vec![SketchedTask {
        task: "visite".into(),
        title: Text::new("Visite sur place", "Visit on the spot"),
        by,
        within: Some("2 working days".into()),
        finding: true,
        ..SketchedTask::default()
    }])
}

fn roles(catalogue: &Catalogue) -> Vec<(String, String)> {
    let roles = catalogue.organisation.roles.iter();
    roles.map(|role| (role.role.clone(), role.title.get(Language::Fr).to_owned())).collect()
}

fn circuit(ask: &mut Ask<'_>, files: &[SourceFile]) -> Result<Option<String>, Failure> {
    let mut choices =
        vec![("-".to_owned(), ask.say("l’agent qui répond", "the agent who answers").to_owned())];
    for file in files.iter().filter(|file| file.path.starts_with("circuits/")) {
        let about = file.text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        choices.push((file.path.trim_end_matches(".yaml").to_owned(), about.to_owned()));
    }
    if choices.len() == 1 {
        return Ok(None);
    }
    let chosen = ask.one_of(ask.say("Qui signe la réponse ?", "Who signs the answer?"), &choices, 0)?;
    Ok(choices.get(chosen).map(|(name, _)| name.clone()).filter(|_| chosen > 0))
}

/// The promise, in working days.
fn days(ask: &mut Ask<'_>, inherited: bool) -> Result<Option<u32>, Failure> {
    let wrong = ask.say("un nombre de jours, de 1 à 250", "a number of days, 1 to 250").to_owned();
    let (question, proposal) = if inherited {
        (
            ask.say(
                "Réponse promise en combien de jours ouvrés ? (rien : comme le modèle)",
                "Answer promised within how many working days? (nothing: as the model says)",
            ),
            "",
        )
    } else {
        (
            ask.say(
                "Réponse promise en combien de jours ouvrés ?",
                "Answer promised within how many working days?",
            ),
            "10",
        )
    };
    ask.ask(question.to_owned().as_str(), Some(proposal), |answer| {
        if answer.is_empty() {
            return Ok(None);
        }
        answer
            .parse::<u32>()
            .ok()
            .filter(|days| (1..=250).contains(days))
            .map(Some)
            .ok_or_else(|| wrong.clone())
    })
}

/// What silence means, with its article.
fn silence(ask: &mut Ask<'_>) -> Result<Option<(Silence, String)>, Failure> {
    let choices = [
        ("none", "rien : aucune décision n’est demandée", "nothing: no decision is asked for"),
        ("acceptance", "acceptation (la règle, CRPA L231-1)", "acceptance (the rule, CRPA L231-1)"),
        ("rejection", "rejet (les exceptions, CRPA L231-4)", "rejection (the exceptions, CRPA L231-4)"),
    ];
    let language = ask.language();
    let choices = choices.map(|(word, fr, en)| (word.to_owned(), Text::new(fr, en).get(language).to_owned()));
    let chosen = ask.one_of(
        ask.say(
            "Que vaut le silence de la commune après deux mois ?",
            "What does the town’s silence mean after two months?",
        ),
        &choices,
        0,
    )?;
    let (meaning, article) = match chosen {
        1 => (Silence::Acceptance, "CRPA L231-1"),
        2 => (Silence::Rejection, "CRPA L231-4"),
        _ => return Ok(None),
    };
    let basis = ask.text(ask.say("L’article qui le dit", "The article that says so"), Some(article))?;
    Ok(Some((meaning, basis)))
}

/// The message that takes an answer.
pub(in crate::cli) fn reply(files: &[SourceFile]) -> Option<String> {
    let takes =
        |file: &&SourceFile| file.path.starts_with("messages/reponse") && file.text.contains("{answer");
    files.iter().find(takes).map(|file| file.path.trim_end_matches(".yaml").to_owned())
}

/// Editors complete keys from the schema that the catalogue's other sheets name.
pub(in crate::cli) fn schema(files: &[SourceFile]) -> Option<String> {
    let marked = files.iter().filter(|file| file.path.contains('/') && !file.path.contains(".test."));
    let mut lines =
        marked.filter_map(|file| file.text.lines().next()?.strip_prefix("# yaml-language-server: $schema="));
    lines.find(|schema| schema.ends_with("process.schema.json")).map(str::to_owned)
}
