//! Why a file is not stored, or cannot be read.

use guichet_engine::rules::text::Text;

/// Why a file is not stored, or cannot be read. Nothing was kept then.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// No collectivity can be called that.
    #[error("no collectivity has this name")]
    UnknownTenant,
    /// It holds nothing.
    #[error("the file is empty")]
    Empty,
    /// It is larger than files may be.
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// The most, in bytes.
        most: u64,
    },
    /// It is something else than its sender says.
    #[error("the file was said to be `{declared}` and is `{found}`")]
    Lies {
        /// What was said.
        declared: String,
        /// What the bytes say.
        found: String,
    },
    /// Files of this type are not taken: pages, scripts, programs.
    #[error("files of type `{kind}` are not taken")]
    Refused {
        /// Its type.
        kind: String,
    },
    /// A photo that cannot be drawn anew within the limits.
    #[error("the picture cannot be read: {reason}")]
    Picture {
        /// Why, in English, without anything of the picture.
        reason: String,
    },
    /// A scanner found something in it.
    #[error("the scanner found `{finding}`")]
    Infected {
        /// What the scanner calls it.
        finding: String,
    },
    /// The scanner does not answer, and nothing is taken unseen.
    #[error("the scanner does not answer: {reason}")]
    Scanner {
        /// What is wrong, for the log.
        reason: String,
    },
    /// It waits to be seen by the scanner.
    #[error("the file waits for the scanner")]
    Quarantined,
    /// It did not arrive whole.
    #[error("the file did not arrive whole")]
    Interrupted,
    /// Too many files are being looked at.
    #[error("too many files are being looked at")]
    Busy,
    /// There is no room.
    #[error("the disk of the attachments is full")]
    Full,
    /// The folder may not be written.
    #[error("the attachments cannot be written: {reason}")]
    ReadOnly {
        /// What the system said.
        reason: String,
    },
    /// The store does not answer.
    #[error("the store of the attachments failed: {reason}")]
    Store {
        /// What the system said.
        reason: String,
    },
}

impl AttachmentError {
    /// The problem that stands for what the system said.
    pub(crate) fn of_system(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                Self::ReadOnly { reason: error.to_string() }
            }
            _ => Self::Store { reason: error.to_string() },
        }
    }

    /// Its stable code, such as `file.too_large`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownTenant => "not_found",
            Self::Empty => "file.empty",
            Self::TooLarge { .. } => "file.too_large",
            Self::Lies { .. } => "file.type_differs",
            Self::Refused { .. } => "file.type_refused",
            Self::Picture { .. } => "file.picture_unreadable",
            Self::Infected { .. } => "file.infected",
            Self::Scanner { .. } => "file.scanner_unavailable",
            Self::Quarantined => "file.quarantined",
            Self::Interrupted => "file.interrupted",
            Self::Busy => "server.busy",
            Self::Full => "file.store_full",
            Self::ReadOnly { .. } | Self::Store { .. } => "file.store_unavailable",
        }
    }

    /// A sentence for whoever sent the file.
    #[must_use]
    pub fn text(&self) -> Text {
        match self {
            Self::UnknownTenant => Text::new("Il n’y a rien à cette adresse.", "There is nothing here."),
            Self::Empty => Text::new("Le fichier est vide.", "The file is empty."),
            Self::TooLarge { most } => Text::new(
                format!("Le fichier dépasse {} Mio.", most / (1024 * 1024)),
                format!("The file exceeds {} MiB.", most / (1024 * 1024)),
            ),
            Self::Lies { declared, found } => Text::new(
                format!("Le fichier est annoncé comme « {declared} », mais c’est « {found} »."),
                format!("The file is announced as “{declared}”, but it is “{found}”."),
            ),
            Self::Refused { kind } => Text::new(
                format!("Les fichiers de type « {kind} » ne sont pas acceptés."),
                format!("Files of type “{kind}” are not accepted."),
            ),
            Self::Picture { .. } => Text::new(
                "L’image ne peut pas être lue : elle est abîmée ou trop grande.",
                "The picture cannot be read: it is damaged or too large.",
            ),
            Self::Infected { .. } => {
                Text::new("L’antivirus refuse ce fichier.", "The virus scanner refuses this file.")
            }
            Self::Scanner { .. } => Text::new(
                "L’antivirus ne répond pas : renvoyez le fichier dans quelques minutes.",
                "The virus scanner does not answer: send the file again in a few minutes.",
            ),
            Self::Quarantined => Text::new(
                "L’antivirus n’a pas encore vu ce fichier : réessayez dans quelques minutes.",
                "The virus scanner has not seen this file yet: try again in a few minutes.",
            ),
            Self::Interrupted => Text::new(
                "Le fichier n’est pas arrivé entier : renvoyez-le.",
                "The file did not arrive whole: send it again.",
            ),
            Self::Busy => {
                Text::new("Le serveur est très occupé : réessayez.", "The server is very busy: try again.")
            }
            Self::Full => Text::new(
                "Il n’y a plus de place pour les fichiers sur le serveur ; rien n’a été enregistré.",
                "The server has no room left for files; nothing was recorded.",
            ),
            Self::ReadOnly { .. } | Self::Store { .. } => Text::new(
                "Les fichiers ne peuvent pas être enregistrés pour le moment ; rien n’a été enregistré.",
                "Files cannot be recorded at the moment; nothing was recorded.",
            ),
        }
    }
}
