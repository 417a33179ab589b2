//! The commented sheet.

use guichet_engine::rules::process::{FieldType, Kind};
use guichet_engine::rules::text::Language;
use serde::Serialize;
use serde_json::Value;

use super::{Sketch, SketchedField, SketchedTask, name_from, quoted};

/// The sheet, with comments in the officer's language that say what each part is for and what else could be said.
#[must_use]
pub fn write_sheet(sketch: &Sketch, language: Language) -> String {
    let mut sheet = Sheet { text: String::new(), language };
    sheet.head(sketch);
    sheet.form(sketch);
    sheet.stages(sketch);
    sheet.promises(sketch);
    sheet.text
}

struct Sheet {
    text: String,
    language: Language,
}

impl Sheet {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A comment, after an empty line.
    fn part(&mut self, fr: &str, en: &str) {
        let words = match self.language {
            Language::Fr => fr,
            Language::En => en,
        };
        self.line("");
        for line in words.lines() {
            self.line(&format!("# {line}"));
        }
    }

    fn head(&mut self, sketch: &Sketch) {
        if let Some(schema) = &sketch.schema {
            self.line(&format!("# yaml-language-server: $schema={schema}"));
        }
        self.line(&format!("process: {}", sketch.process));
        if let Some(model) = &sketch.model {
            self.part(
                "Le modèle dont part cette fiche : elle hérite de tout ce qu’elle ne redit pas.",
                "The model that this sheet starts from: it inherits whatever it does not say itself.",
            );
            self.line(&format!("extends: {model}"));
        }
        self.part("Ce que les habitants voient et cherchent.", "What citizens see and look for.");
        let (fr, en) = (quoted(&sketch.title.fr), quoted(&sketch.title.en));
        if sketch.title.en.is_empty() {
            self.line(&format!("title: {{ fr: {fr} }}"));
        } else {
            self.line(&format!("title: {{ fr: {fr}, en: {en} }}"));
        }
        self.line(&format!("kind: {}", word(sketch.kind)));
        if sketch.kind == Kind::Internal {
            self.line("open_to: [agent]");
        } else if sketch.model.is_none() {
            self.line("open_to: [citizen, agent]");
        }
        if !sketch.keywords.is_empty() {
            let words: Vec<String> = sketch.keywords.iter().map(|word| quoted(word)).collect();
            self.line(&format!("keywords: [{}]", words.join(", ")));
        }
    }

    fn form(&mut self, sketch: &Sketch) {
        if sketch.fields.is_empty() {
            return;
        }
        self.part(
            "Ce que l’on demande. Une règle peut montrer une question : `shown_when: form.danger`.",
            "What is asked. A rule can show a question: `shown_when: form.danger`.",
        );
        self.line("form:");
        for field in &sketch.fields {
            self.field(field);
        }
    }

    fn field(&mut self, field: &SketchedField) {
        self.line(&format!("  - field: {}", field.field));
        self.line(&format!("    type: {}", word(field.kind)));
        self.line(&format!("    label: {{ fr: {} }}", quoted(&field.label)));
        if field.required {
            self.line("    required: true");
        }
        match field.kind {
            FieldType::Text => self.line("    max_length: 2000"),
            FieldType::Files => {
                self.line("    accept: [application/pdf, image/jpeg, image/png]");
                self.line("    at_most: 3");
                self.line("    max_size: 10 MiB");
            }
            FieldType::Choice | FieldType::Choices => {
                self.line("    options:");
                for option in &field.options {
                    let (value, label) = (name_from(option, '_'), quoted(option));
                    self.line(&format!("      - {{ value: {value}, label: {{ fr: {label} }} }}"));
                }
            }
            _ => {}
        }
    }

    fn stages(&mut self, sketch: &Sketch) {
        if sketch.model.is_none() || sketch.qualified_by.is_some() {
            self.part(
                "Qui dit si c’est simple ou complexe. `automatic` : le formulaire suffit.",
                "Who says whether it is simple or complex. `automatic`: the form is enough.",
            );
            match &sketch.qualified_by {
                Some(role) => self.line(&format!("qualification: {{ by: role:{role} }}")),
                None => self.line("qualification: automatic"),
            }
        }
        self.part(
            "Le service chargé de répondre ; la première règle qui tient l’emporte :\n  - { when: form.danger, to: service:astreinte }",
            "The service that answers; the first rule that holds decides:\n  - { when: form.danger, to: service:on-call }",
        );
        self.line(&format!("assignment:\n  - {{ to: service:{} }}", sketch.service));
        if !sketch.tasks.is_empty() {
            self.part(
                "Ce qu’il faut faire avant de répondre. `report` : ce que l’on note une fois la tâche faite.",
                "What must be done before answering. `report`: what is written down once the task is done.",
            );
            self.line("treatment:");
            for task in &sketch.tasks {
                self.task(task);
            }
        }
        if let Some(circuit) = &sketch.circuit {
            self.part(
                "Qui signe la réponse. `when: request.complexity == 'complex'` la réserverait aux dossiers complexes.",
                "Who signs the answer. `when: request.complexity == 'complex'` would keep it for complex files.",
            );
            self.line(&format!("validation:\n  circuit: {circuit}"));
        }
        if let Some(message) = &sketch.delivery {
            self.part(
                "Comment part la réponse : le premier moyen que le demandeur peut recevoir.",
                "How the answer goes out: the first means by which the requester can be reached.",
            );
            self.line(&format!("delivery:\n  by: [requester_choice, email, letter]\n  message: {message}"));
        }
    }

    fn task(&mut self, task: &SketchedTask) {
        for note in &task.notes {
            self.line(&format!("  # {}", note.replace(['\n', '\r'], " ")));
        }
        self.line(&format!("  - task: {}", task.task));
        let title = quoted(&task.title.fr);
        if task.title.en.is_empty() {
            self.line(&format!("    title: {{ fr: {title} }}"));
        } else {
            self.line(&format!("    title: {{ fr: {title}, en: {} }}", quoted(&task.title.en)));
        }
        self.line(&format!("    by: {}", task.by));
        if let Some(within) = &task.within {
            self.line(&format!("    within: {within}"));
        }
        if !task.after.is_empty() {
            self.line(&format!("    after: [{}]", task.after.join(", ")));
        }
        if task.finding {
            self.line("    report:");
            self.line("      - { field: finding, type: text, label: { fr: \"Constat\", en: \"Finding\" }, required: true }");
        }
    }

    fn promises(&mut self, sketch: &Sketch) {
        let bare = sketch.model.is_none();
        if let Some(days) = sketch.days.or(bare.then_some(10)) {
            self.part(
                "Ce que l’on promet. Les jours ouvrés se comptent après le jour de réception, à l’heure de fermeture.",
                "What is promised. Working days count from the day after receipt, at closing time.",
            );
            self.line("commitments:");
            if bare {
                self.line(
                    "  acknowledgement: { from: received, until: acknowledged, within: 1 working day }",
                );
            }
            self.line("  answer:");
            if bare {
                self.line("    from: received\n    until: delivered");
            }
            let unit = if days == 1 { "working day" } else { "working days" };
            self.line(&format!("    within: {days} {unit}"));
            if bare {
                self.line("    paused_while: [waiting_for_requester]\n    warn_at: [50%, 80%]");
            }
        }
        self.law(sketch);
        if bare {
            self.part(
                "Combien de temps les données sont gardées, et ce qu’elles deviennent.",
                "How long the data are kept, and what becomes of them.",
            );
            self.line(
                "privacy: { basis: public_task, personal: [contact], retain: 2 years after closed, then: anonymise }",
            );
        }
    }

    fn law(&mut self, sketch: &Sketch) {
        let Some((silence, basis)) = &sketch.silence else {
            if sketch.kind == Kind::Application {
                self.part(
                    "Le silence ne vaut rien ici. À faire relire : pour la plupart des demandes, il vaut acceptation (CRPA L231-1).",
                    "Silence means nothing here. Have it read: for most applications it means acceptance (CRPA L231-1).",
                );
                self.line("law: { silence: none }");
            }
            return;
        };
        let word = word(silence);
        self.part(
            "Ce que vaut le silence de la commune, après combien de temps, et l’article qui le dit.",
            "What the town’s silence means, after how long, and the article that says so.",
        );
        self.line(&format!(
            "law: {{ silence: {word}, after: 2 months, basis: {}, month_rule: same_day }}",
            quoted(basis)
        ));
    }
}

/// The word that stands for a value in a sheet.
fn word(value: impl Serialize) -> String {
    let written = serde_json::to_value(value).ok();
    written.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}
