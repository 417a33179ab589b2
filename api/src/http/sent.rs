//! The bodies that HTML forms send: `application/x-www-form-urlencoded`, and `multipart/form-data` with files.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};

use super::App;
use super::flat_form::Flat;
use super::problem::Problem;

/// The most files of one form.
pub(crate) const FILES_MAX: usize = 20;
/// The largest body with files, in bytes: three photos of ten MiB, and what is around them.
pub(crate) const FORM_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most that texts of one form take together, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = super::BODY_BYTES_MAX;

/// What a form sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Its texts.
    pub(crate) flat: Flat,
    /// Its files; fields without one are left out.
    pub(crate) files: Vec<SentFile>,
}

/// A file as it was sent. Its type is what the client says.
pub(crate) struct SentFile {
    /// The field.
    pub(crate) field: String,
    /// Its name, without folders.
    pub(crate) name: String,
    /// Its type by the client's account.
    pub(crate) kind: String,
    /// What is in it.
    pub(crate) bytes: Bytes,
}

/// Never prints what is in it.
impl std::fmt::Debug for SentFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SentFile(…)")
    }
}

impl Sent {
    /// Reads a body of either kind, within the limits.
    pub(crate) async fn read(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "multipart/form-data" => {
                let parts = Multipart::from_request(request, app).await;
                Self::parts(parts.map_err(|error| of_status(error.status()))?).await
            }
            "application/x-www-form-urlencoded" => {
                let bytes = Bytes::from_request(request, app).await?;
                if bytes.len() > TEXT_BYTES_MAX {
                    return Err(too_large());
                }
                Ok(Self { flat: Flat::parse(&bytes)?, files: Vec::new() })
            }
            _ => {
                // Without a body there is no type to give.
                let bytes = Bytes::from_request(request, app).await?;
                if bytes.is_empty() { Ok(Self::default()) } else { Err(not_a_form()) }
            }
        }
    }

    async fn parts(mut parts: Multipart) -> Result<Self, Problem> {
        let mut sent = Self::default();
        let mut text_bytes = 0;
        while let Some(part) = parts.next_field().await.map_err(|error| of_status(error.status()))? {
            let field = part.name().unwrap_or_default().to_owned();
            let Some(name) = part.file_name().map(file_name) else {
                let bytes = part.bytes().await.map_err(|error| of_status(error.status()))?;
                text_bytes += bytes.len();
                if text_bytes > TEXT_BYTES_MAX {
                    return Err(too_large());
                }
                sent.flat.push(&field, &String::from_utf8_lossy(&bytes))?;
                continue;
            };
            let kind = part.content_type().unwrap_or("application/octet-stream").to_owned();
            let bytes = part.bytes().await.map_err(|error| of_status(error.status()))?;
            // A browser sends an empty file where none was chosen.
            if bytes.is_empty() && name.is_empty() {
                continue;
            }
            if sent.files.len() >= FILES_MAX {
                let (fr, en) =
                    (format!("{FILES_MAX} fichiers au plus."), format!("At most {FILES_MAX} files."));
                return Err(Problem::malformed("form.too_many_files", fr, en));
            }
            sent.files.push(SentFile { field, name, kind, bytes });
        }
        Ok(sent)
    }
}

/// The last part of a path, as some clients send, without what no name of a file should have.
fn file_name(path: &str) -> String {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control() && *c != '\u{fffd}').take(120).collect()
}

fn of_status(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE { too_large() } else { unreadable() }
}

fn unreadable() -> Problem {
    Problem::malformed(
        "form.unreadable",
        "Le formulaire est arrivé incomplet ou abîmé ; envoyez-le de nouveau.",
        "The form arrived incomplete or damaged; send it again.",
    )
}

fn not_a_form() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "form.not_a_form",
        "Le corps doit être un formulaire (application/x-www-form-urlencoded ou multipart/form-data).",
        "The body must be a form (application/x-www-form-urlencoded or multipart/form-data).",
    )
}

fn too_large() -> Problem {
    let (texts, all) = (TEXT_BYTES_MAX / 1024, FORM_BYTES_MAX / 1024 / 1024);
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "form.too_large",
        format!(
            "Le formulaire est trop grand : {texts} Kio de texte et {all} Mio avec les fichiers, au plus."
        ),
        format!("The form is too large: at most {texts} KiB of text, and {all} MiB with its files."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lose_their_folders() {
        assert_eq!(file_name("C:\\Users\\jeanne\\trou.jpg"), "trou.jpg");
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("a\r\nb.jpg"), "ab.jpg");
    }
}
