//! clamd's own protocol, `INSTREAM` (clamd(8)), over TCP or a socket of this machine.

use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Verdict, words};

/// How much is handed over at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// The longest answer that is read, in bytes.
const ANSWER_MAX: u64 = 4096;

/// Where clamd listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clamd {
    /// A name and a port.
    Tcp(String),
    /// A socket of this machine.
    Unix(PathBuf),
}

impl Clamd {
    /// From the settings: `127.0.0.1:3310`, or `unix:/run/clamav/clamd.ctl`.
    pub(super) fn parse(text: &str) -> Self {
        text.strip_prefix("unix:").map_or_else(|| Self::Tcp(text.to_owned()), |path| Self::Unix(path.into()))
    }

    /// Asks about the bytes that `reader` gives.
    pub(super) async fn scan(&self, reader: impl AsyncRead + Unpin) -> Result<Verdict, String> {
        match self {
            Self::Tcp(address) => {
                let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
                exchange(&mut stream, reader).await
            }
            Self::Unix(path) => unix(path, reader).await,
        }
    }
}

#[cfg(unix)]
async fn unix(path: &Path, reader: impl AsyncRead + Unpin) -> Result<Verdict, String> {
    let mut stream = tokio::net::UnixStream::connect(path).await.map_err(|error| error.to_string())?;
    exchange(&mut stream, reader).await
}

#[cfg(not(unix))]
async fn unix(_: &Path, _: impl AsyncRead + Unpin) -> Result<Verdict, String> {
    Err("this system has no such sockets".to_owned())
}

async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    mut reader: impl AsyncRead + Unpin,
) -> Result<Verdict, String> {
    let handed = hand_over(stream, &mut reader).await;
    // A scanner that had enough says so and closes: its words count more than the broken connection.
    let mut answer = Vec::new();
    let read = (&mut *stream).take(ANSWER_MAX).read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    let text = text.trim_end_matches(['\0', '\n']).trim();
    if text.is_empty() {
        handed?;
        read.map_err(|error| error.to_string())?;
        return Err("it closed without an answer".to_owned());
    }
    let said = text.strip_prefix("stream:").map(str::trim);
    match said {
        Some("OK") => Ok(Verdict::Clean),
        Some(said) if said.ends_with(" FOUND") => Ok(Verdict::Found(words(said.trim_end_matches(" FOUND")))),
        Some(_) | None => Err(words(text)),
    }
}

async fn hand_over(
    stream: &mut (impl AsyncWrite + Unpin),
    reader: &mut (impl AsyncRead + Unpin),
) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    stream.write_all(b"zINSTREAM\0").await.map_err(told)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = reader.read(&mut buffer).await.map_err(told)?;
        let length = u32::try_from(read).map_err(|error| error.to_string())?;
        stream.write_all(&length.to_be_bytes()).await.map_err(told)?;
        if read == 0 {
            return stream.flush().await.map_err(told);
        }
        stream.write_all(buffer.get(..read).unwrap_or_default()).await.map_err(told)?;
    }
}
