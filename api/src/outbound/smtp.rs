//! Sends e-mails through the town hall's mail server.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{Means, OutMessage, Outbound, SendError, mail};

/// How long the mail server may take for one step of the conversation.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections kept to the mail server.
const CONNECTIONS_MAX: u32 = 4;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SmtpTls {
    /// Begins in clear and changes to TLS before anything is said; refused if the server cannot (port 587).
    #[default]
    StartTls,
    /// TLS from the first byte (port 465).
    Implicit,
    /// In clear: for a server on this very machine only.
    None,
}

/// Where the mail server is.
#[derive(Clone)]
pub struct SmtpOptions {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User and password, where the server asks for them.
    pub credentials: Option<(String, String)>,
}

/// Never prints the password.
impl std::fmt::Debug for SmtpOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SmtpOptions({}:{}, {:?})", self.host, self.port, self.tls)
    }
}

/// Why a mail server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// In clear to another machine.
    #[error("mail may go in clear to a server on this machine only; choose `starttls` or `tls` for `{0}`")]
    InClear(String),
    /// The credentials cannot be read.
    #[error("the mail credentials in `{path}` cannot be used: {reason}")]
    Credentials {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The name cannot be a server's.
    #[error("`{host}` cannot be the name of a mail server: {reason}")]
    Host {
        /// The name.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl SmtpOptions {
    /// A mail server on this machine, in clear.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { host: "127.0.0.1".into(), port, tls: SmtpTls::None, credentials: None }
    }

    /// The same with the user on the first line of a file and the password on the second.
    ///
    /// # Errors
    /// [`SmtpError::Credentials`].
    pub fn with_credentials_from(mut self, path: &Path) -> Result<Self, SmtpError> {
        let wrong = |reason: String| SmtpError::Credentials { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let mut lines = text.lines();
        match (lines.next(), lines.next()) {
            (Some(user), Some(password)) if !user.trim().is_empty() && !password.is_empty() => {
                self.credentials = Some((user.trim().to_owned(), password.to_owned()));
                Ok(self)
            }
            _ => Err(wrong("the user is expected on the first line and the password on the second".into())),
        }
    }
}

/// Sends e-mails through a mail server. Text messages are none of its business.
#[derive(Debug, Clone)]
pub struct SmtpOutbound {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl SmtpOutbound {
    /// Through this server. Nothing is sent, and nobody is called, before the first message.
    ///
    /// # Errors
    /// [`SmtpError`].
    pub fn new(options: &SmtpOptions) -> Result<Self, SmtpError> {
        let wrong = |error: lettre::transport::smtp::Error| SmtpError::Host {
            host: options.host.clone(),
            reason: error.to_string(),
        };
        let tls = match options.tls {
            SmtpTls::StartTls => Tls::Required(TlsParameters::new(options.host.clone()).map_err(wrong)?),
            SmtpTls::Implicit => Tls::Wrapper(TlsParameters::new(options.host.clone()).map_err(wrong)?),
            SmtpTls::None if is_local(&options.host) => Tls::None,
            SmtpTls::None => return Err(SmtpError::InClear(options.host.clone())),
        };
        let pool = lettre::transport::smtp::PoolConfig::new().max_size(CONNECTIONS_MAX);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.host)
            .port(options.port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .pool_config(pool);
        if let Some((user, password)) = &options.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build() })
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[async_trait]
impl Outbound for SmtpOutbound {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        if message.means != Means::Email {
            return Err(SendError::Never("no gateway for text messages is set up".into()));
        }
        let mail = mail::mail(message)?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => Err(judge(&error)),
        }
    }
}

/// Whether trying again makes sense. Only the server's code is kept: its words often repeat the address.
fn judge(error: &lettre::transport::smtp::Error) -> SendError {
    let code = error.status().map(|code| format!("the mail server answered {code}"));
    match (error.is_permanent(), code) {
        (true, Some(code)) => SendError::Never(code),
        (false, Some(code)) => SendError::Later(code),
        (_, None) if error.is_timeout() => SendError::Later("the mail server did not answer in time".into()),
        (_, None) if error.is_tls() => SendError::Later("no protected connection to the mail server".into()),
        (_, None) => SendError::Later("the mail server cannot be reached".into()),
    }
}
