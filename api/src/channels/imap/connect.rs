//! A connection to an IMAP server: TLS, a bound on what the server may say at once, login, waiting for more.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::fault::ImapFault;
use super::folder::{self, Marks};
use crate::channels::mail::MAIL_BYTES_MAX;
use crate::guichet::Guichet;
use crate::settings::channels::{Imap, ImapTls};

/// How long connecting, and any one answer, may take.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How long a mail may take to arrive.
const MAIL_MAX: Duration = Duration::from_secs(5 * 60);
/// How long the server is left alone before it must show that it is there. What it told of in the very moment in which we
/// began to listen is found then, too.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(30);
/// The most bytes of one answer that is no mail: 100,000 numbers of mails take half of it.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The longest password, in bytes.
const PASSWORD_BYTES_MAX: u64 = 1024;

/// A session with its folder selected.
pub(super) type Session = async_imap::Session<Bounded<TlsStream<TcpStream>>>;

/// A session, and what its server can do.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) marks: Marks,
    /// Whether it tells of new mails by itself (RFC 2177).
    pub(super) idles: bool,
}

/// A stream that ends with an error once more has been read than was allowed.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    inner: S,
    left: usize,
}

impl<S> Bounded<S> {
    fn new(inner: S) -> Self {
        Self { inner, left: ANSWER_BYTES_MAX }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = polled {
            match self.left.checked_sub(buf.filled().len().saturating_sub(before)) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Err(io::Error::other("more came than was asked for"))),
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Waits for an answer, so long and so large at most.
pub(super) async fn answered<T, E: Into<ImapFault>>(
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, ImapFault> {
    tokio::time::timeout(ANSWER_MAX, answer).await.map_err(|_| ImapFault::Lost)?.map_err(Into::into)
}

/// The same for a mail.
pub(super) async fn fetched<T, E: Into<ImapFault>>(
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, ImapFault> {
    tokio::time::timeout(MAIL_MAX, answer).await.map_err(|_| ImapFault::Lost)?.map_err(Into::into)
}

/// Allows an answer of the usual size.
pub(super) fn allow(session: &mut Session) {
    session.get_mut().left = ANSWER_BYTES_MAX;
}

/// Allows an answer with a mail in it.
pub(super) fn allow_mail(session: &mut Session) {
    session.get_mut().left = ANSWER_BYTES_MAX + MAIL_BYTES_MAX;
}

/// Connects, signs in and opens the folder.
pub(super) async fn open(imap: &Imap) -> Result<Opened, ImapFault> {
    let password = password(&imap.password_file)?;
    let connector = TlsConnector::from(Arc::new(config(imap.ca_file.as_deref())?));
    let name = ServerName::try_from(imap.host.clone()).map_err(|_| ImapFault::Certificate)?;
    let stream = answered_or_unreachable(TcpStream::connect((imap.host.as_str(), imap.port))).await?;
    let secure = match imap.tls {
        ImapTls::Implicit => secured(&connector, name, stream).await?,
        ImapTls::Starttls => secured(&connector, name, upgraded(stream).await?).await?,
    };
    let mut client = async_imap::Client::new(Bounded::new(secure));
    if imap.tls == ImapTls::Implicit {
        greeting(&mut client).await?;
    }
    let login = tokio::time::timeout(ANSWER_MAX, client.login(&imap.user, &password));
    let mut session = match login.await {
        Ok(Ok(session)) => session,
        Ok(Err((error, _))) => {
            return Err(match ImapFault::from(error) {
                // Only a refusal is one: RFC 9051, section 6.2.3.
                ImapFault::Folder => ImapFault::Refused,
                other => other,
            });
        }
        Err(_) => return Err(ImapFault::Lost),
    };
    allow(&mut session);
    let capabilities = answered(session.capabilities()).await?;
    let has = |name: &str| capabilities.has_str(name);
    let (idles, moves, plus) = (has("IDLE"), has("MOVE"), has("UIDPLUS"));
    let selected = answered(session.select(&imap.folder)).await?;
    let marks = folder::marks(&mut session, imap, &selected, (moves, plus)).await?;
    Ok(Opened { session, marks, idles })
}

/// Whether a mailbox can be fetched from: connects, signs in, opens the folders, and leaves.
///
/// # Errors
/// [`ImapFault`].
pub(crate) async fn probe(imap: &Imap) -> Result<(), ImapFault> {
    leave(open(imap).await?.session).await;
    Ok(())
}

/// Says good-bye; what has gone by then is gone.
pub(super) async fn leave(mut session: Session) {
    allow(&mut session);
    let _ = tokio::time::timeout(Duration::from_secs(2), session.logout()).await;
}

/// Waits until the server tells of something, or for `pause`, or until there is no use in waiting.
pub(super) async fn rest(
    mut session: Session,
    idles: bool,
    pause: Duration,
    mut stopped: watch::Receiver<bool>,
    guichet: &Guichet,
) -> Result<Session, ImapFault> {
    allow(&mut session);
    // What the server told without being asked is found by the next look.
    while session.unsolicited_responses.try_recv().is_ok() {}
    let ended = async {
        tokio::select! {
            _ = stopped.changed() => {}
            _ = guichet.read_models().wait_for_lead(false) => {}
        }
    };
    if !idles {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ended => {}
        }
        return Ok(session);
    }
    let mut idle = session.idle();
    answered(idle.init()).await?;
    {
        let (told, _interrupt) = idle.wait_with_timeout(pause);
        // A server that says “still here” again and again does not lengthen it.
        let told = tokio::time::timeout(pause, told);
        tokio::select! {
            told = told => {
                if let Ok(told) = told {
                    told?;
                }
            }
            () = ended => {}
        }
    }
    answered(idle.done()).await
}

async fn answered_or_unreachable<T>(answer: impl Future<Output = io::Result<T>>) -> Result<T, ImapFault> {
    let answer = tokio::time::timeout(ANSWER_MAX, answer).await;
    answer.map_err(|_| ImapFault::Unreachable)?.map_err(|_| ImapFault::Unreachable)
}

async fn secured(
    connector: &TlsConnector,
    name: ServerName<'static>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, ImapFault> {
    let handshake = tokio::time::timeout(ANSWER_MAX, connector.connect(name, stream)).await;
    handshake.map_err(|_| ImapFault::Lost)?.map_err(|error| {
        // What rustls refuses comes as `InvalidData`; the rest is the connection's.
        if error.kind() == io::ErrorKind::InvalidData { ImapFault::Certificate } else { ImapFault::Lost }
    })
}

/// Begins in clear and asks for TLS. Nothing that came in clear is kept: the library's buffer goes with the client.
async fn upgraded(stream: TcpStream) -> Result<TcpStream, ImapFault> {
    let mut client = async_imap::Client::new(Bounded::new(stream));
    greeting(&mut client).await?;
    answered(client.run_command_and_check_ok("STARTTLS", None)).await.map_err(|fault| match fault {
        // A server that offers no TLS gets no password.
        ImapFault::Folder => ImapFault::Certificate,
        other => other,
    })?;
    Ok(client.into_inner().inner)
}

async fn greeting<S: AsyncRead + AsyncWrite + Unpin + std::fmt::Debug + Send>(
    client: &mut async_imap::Client<Bounded<S>>,
) -> Result<(), ImapFault> {
    let greeting = tokio::time::timeout(ANSWER_MAX, client.read_response()).await;
    match greeting {
        Ok(Ok(Some(_))) => Ok(()),
        Ok(Ok(None) | Err(_)) | Err(_) => Err(ImapFault::Lost),
    }
}

/// The password, read each time, so that it can be changed at once.
fn password(path: &Path) -> Result<String, ImapFault> {
    let about = std::fs::metadata(path).map_err(|_| ImapFault::PasswordFile)?;
    if about.len() > PASSWORD_BYTES_MAX {
        return Err(ImapFault::PasswordFile);
    }
    let text = std::fs::read_to_string(path).map_err(|_| ImapFault::PasswordFile)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() { Err(ImapFault::PasswordFile) } else { Ok(password.to_owned()) }
}

/// Whom we believe: the authorities that browsers believe, or those of the file alone.
fn config(ca_file: Option<&Path>) -> Result<ClientConfig, ImapFault> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path).map_err(|_| ImapFault::CertificateFile)?;
            for certificate in certificates {
                let certificate = certificate.map_err(|_| ImapFault::CertificateFile)?;
                roots.add(certificate).map_err(|_| ImapFault::CertificateFile)?;
            }
            if roots.is_empty() {
                return Err(ImapFault::CertificateFile);
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.map_err(|_| ImapFault::Certificate)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
