//! Whether whoever names a file uploaded it.

use axum::http::StatusCode;
use guichet_engine::rules::request::FieldFault;
use guichet_engine::rules::text::Text;
use serde_json::{Map, Value};

use crate::attachments::as_file;
use crate::http::App;
use crate::http::problem::{FieldProblem, Problem};

/// The most files that one command names.
const FILES_IN_A_COMMAND_MAX: usize = 50;

/// Checks the files that a form names, and takes their proofs out: they are nobody's business afterwards. A file that is
/// not stored, and one that somebody else uploaded, are refused in the same words.
pub(crate) async fn proven(app: &App, tenant: &str, form: &mut Map<String, Value>) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let mut count = 0;
    for (field, value) in form.iter_mut() {
        let (items, listed) = match value {
            Value::Array(items) => (items.as_mut_slice(), true),
            other => (std::slice::from_mut(other), false),
        };
        for (index, item) in items.iter_mut().enumerate() {
            let Some(object) = item.as_object_mut().filter(|object| object.contains_key("sha256")) else {
                continue;
            };
            count += 1;
            let proof = object.remove("proof");
            // What is no file by its shape is told by the rules.
            let Some(file) = as_file(item) else { continue };
            let known = match proof.as_ref().and_then(Value::as_str) {
                Some(proof) if count <= FILES_IN_A_COMMAND_MAX => {
                    app.guichet.attachments().is_proven(tenant, &file, proof).await?
                }
                Some(_) | None => false,
            };
            if !known {
                let field = field.replace('~', "~0").replace('/', "~1");
                let below = if listed { format!("/{field}/{index}") } else { format!("/{field}") };
                faults.push(fault(below));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(refused(&faults)) }
}

fn fault(pointer: String) -> FieldFault {
    let text = Text::new(
        "Ce fichier n’a pas été reçu, ou il y a plus de 24 heures : renvoyez-le.",
        "This file was not received, or more than 24 hours ago: send it again.",
    );
    FieldFault { pointer, code: "field.file_unknown".to_owned(), text }
}

fn refused(faults: &[FieldFault]) -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "form.invalid",
        "Le formulaire n’est pas valable.",
        "The form is not valid.",
    );
    problem.errors = faults.iter().map(FieldProblem::from).collect();
    problem
}
