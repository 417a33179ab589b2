//! What can go wrong between us and a mail server. No word of it comes from the server or from a mail.

use guichet_engine::rules::text::Text;

/// Why a mailbox cannot be fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImapFault {
    /// The file with the password is not there, empty, or cannot be read.
    #[error("the file with the password cannot be read")]
    PasswordFile,
    /// The file with certificates is not there or holds none.
    #[error("the file with certificates cannot be read")]
    CertificateFile,
    /// Nobody answers at that address and port.
    #[error("the mail server cannot be reached")]
    Unreachable,
    /// The server's certificate is not trusted, over, or another name's.
    #[error("the mail server does not prove by its certificate that it is the one that was named")]
    Certificate,
    /// The server does not let this user in with this password.
    #[error("the mail server refuses the user or the password")]
    Refused,
    /// A folder is not there, or may not be used.
    #[error("a folder that the settings name is not in the mailbox")]
    Folder,
    /// The server keeps no keywords of ours.
    #[error("this mailbox keeps no keywords: let the settings name a `done_folder`")]
    Keywords,
    /// The connection broke off, or nothing came for too long.
    #[error("the connection to the mail server broke off")]
    Lost,
    /// The server said something that is no answer, or far too much.
    #[error("the mail server’s answer cannot be used")]
    Answer,
}

impl ImapFault {
    /// The same for people.
    #[must_use]
    pub fn text(self) -> Text {
        let french = match self {
            Self::PasswordFile => "le fichier du mot de passe ne se lit pas",
            Self::CertificateFile => "le fichier des certificats ne se lit pas",
            Self::Unreachable => "le serveur de messagerie ne répond pas",
            Self::Certificate => {
                "le serveur de messagerie ne prouve pas par son certificat qu’il est celui qui est nommé"
            }
            Self::Refused => "le serveur de messagerie refuse l’utilisateur ou le mot de passe",
            Self::Folder => "un dossier que nomment les paramètres n’est pas dans la boîte",
            Self::Keywords => "cette boîte ne garde pas de mots-clés : nommez un dossier avec `done_folder`",
            Self::Lost => "la connexion au serveur de messagerie s’est rompue",
            Self::Answer => "la réponse du serveur de messagerie est inutilisable",
        };
        Text::new(french, self.to_string())
    }

    /// Its name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::PasswordFile => "imap.password_file",
            Self::CertificateFile => "imap.certificate_file",
            Self::Unreachable => "imap.unreachable",
            Self::Certificate => "imap.certificate",
            Self::Refused => "imap.refused",
            Self::Folder => "imap.folder",
            Self::Keywords => "imap.keywords",
            Self::Lost => "imap.lost",
            Self::Answer => "imap.answer",
        }
    }
}

/// Errors of the library quote what the server said, which may be a mail: they are told apart and their words left out.
impl From<async_imap::error::Error> for ImapFault {
    fn from(error: async_imap::error::Error) -> Self {
        use async_imap::error::Error;
        match error {
            Error::ConnectionLost => Self::Lost,
            Error::Io(error) if error.kind() == std::io::ErrorKind::Other => Self::Answer,
            Error::Io(_) => Self::Lost,
            Error::No(_) => Self::Folder,
            _ => Self::Answer,
        }
    }
}
