//! ICAP (RFC 3507): a file is shown to a service as if it were the answer to a page's request, beginning with a preview.
//!
//! The service is asked first what it wants (`OPTIONS`, section 4.10): `RESPMOD` or else `REQMOD`, and how much of a preview.
//! `204` says that nothing has to be changed: nothing was found. A service that changes what it was shown, or names an
//! infection (`X-Infection-Found`, `X-Violations-Found`, `X-Virus-ID`), has found something; one that sends back the same
//! bytes has not. Whatever else it says is a fault, and the file counts as unseen.

use sha2::{Digest, Sha256};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
};
use tokio::net::TcpStream;
use url::Url;

use super::{Verdict, words};

/// The port of ICAP servers (RFC 3507, section 4.2).
const PORT: u16 = 1344;
/// How much is handed over at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// The longest head that is read, in bytes.
const HEAD_MAX: u64 = 16 * 1024;
/// How much longer than the file what comes back may be, in bytes: a page that says what was found.
const MORE_MAX: u64 = 1024 * 1024;
/// The most of a preview that is sent, whatever the service wishes, in bytes.
const PREVIEW_MAX: u64 = 64 * 1024;

/// A service of an ICAP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Icap {
    /// `host:port`.
    authority: String,
    /// The whole address.
    service: String,
}

/// What a service wants.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    method: &'static str,
    /// Bytes of a preview; none where the service takes no previews.
    preview: Option<u64>,
    /// Whether the connection may be used for the file.
    stays: bool,
}

/// The head of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    status: u16,
    fields: Vec<(String, String)>,
}

impl Head {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Icap {
    /// From the settings: `icap://127.0.0.1:1344/avscan`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "the address of the ICAP service must be icap://host:port/service".to_owned();
        let url = Url::parse(text).map_err(|_| wrong())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let plain = url.scheme() == "icap" && url.username().is_empty() && url.password().is_none();
        if !plain || url.path().trim_matches('/').is_empty() {
            return Err(wrong());
        }
        let authority = format!("{host}:{}", url.port().unwrap_or(PORT));
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let service = format!("icap://{authority}{}{query}", url.path());
        Ok(Self { authority, service })
    }

    /// Asks about the `size` bytes that `reader` gives.
    pub(super) async fn scan(
        &self,
        mut reader: impl AsyncRead + Unpin + Send,
        size: u64,
    ) -> Result<Verdict, String> {
        let mut stream = self.connect().await?;
        let wish = self.wish(&mut stream).await?;
        if !wish.stays {
            stream = self.connect().await?;
        }
        self.show(&mut stream, &wish, size).await?;
        let mut sum = Sha256::new();
        let first = wish.preview.map_or(0, |most| most.min(size));
        if wish.preview.is_some() {
            hand_over(&mut stream, &mut (&mut reader).take(first), &mut sum).await?;
            // The file may be over with the preview (section 4.5).
            let end: &[u8] = if first == size { b"0; ieof\r\n\r\n" } else { b"0\r\n\r\n" };
            stream.write_all(end).await.map_err(told)?;
            stream.flush().await.map_err(told)?;
            let mut hearing = BufReader::new(&mut stream);
            let head = head(&mut hearing).await?;
            if head.status != 100 {
                let back = sent_back(&mut hearing, &head, size).await?;
                let whole: [u8; 32] = sum.finalize().into();
                return judged(&head, back, (first == size).then_some(whole));
            }
        }
        // A service may begin to send back before it has all: both ways go on at once.
        let (read, mut write) = tokio::io::split(stream);
        let mut read = BufReader::new(read);
        let sending = async {
            hand_over(&mut write, &mut reader, &mut sum).await?;
            write.write_all(b"0\r\n\r\n").await.map_err(told)?;
            write.flush().await.map_err(told)
        };
        let hearing = async {
            let head = head(&mut read).await?;
            let back = sent_back(&mut read, &head, size).await?;
            Ok::<_, String>((head, back))
        };
        let (sent, heard) = tokio::join!(sending, hearing);
        // A service that had enough may close before it has all: what it said counts.
        let (head, back) = heard?;
        judged(&head, back, sent.ok().map(|()| sum.finalize().into()))
    }

    async fn connect(&self) -> Result<TcpStream, String> {
        TcpStream::connect(&self.authority).await.map_err(told)
    }

    /// What the service wants (section 4.10).
    async fn wish(&self, stream: &mut TcpStream) -> Result<Wish, String> {
        let asked = format!("OPTIONS {} ICAP/1.0\r\nHost: {}\r\n\r\n", self.service, self.authority);
        stream.write_all(asked.as_bytes()).await.map_err(told)?;
        let mut hearing = BufReader::new(&mut *stream);
        let head = head(&mut hearing).await?;
        if head.status != 200 {
            return Err(format!("the ICAP server answers {} when asked what it offers", head.status));
        }
        wish_of(&head)
    }

    /// The head of the file: as a page that is answered, or as a file that somebody sends.
    async fn show(&self, stream: &mut TcpStream, wish: &Wish, size: u64) -> Result<(), String> {
        let length = format!("Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n");
        let (request, answer) = match wish.method {
            "RESPMOD" => (
                "GET http://guichet.invalid/file HTTP/1.1\r\nHost: guichet.invalid\r\n\r\n".to_owned(),
                format!("HTTP/1.1 200 OK\r\n{length}"),
            ),
            _ => (
                format!("PUT http://guichet.invalid/file HTTP/1.1\r\nHost: guichet.invalid\r\n{length}"),
                String::new(),
            ),
        };
        let (before, after) = (request.len(), request.len() + answer.len());
        let parts = match wish.method {
            "RESPMOD" => format!("req-hdr=0, res-hdr={before}, res-body={after}"),
            _ => format!("req-hdr=0, req-body={before}"),
        };
        let preview = wish.preview.map(|most| format!("Preview: {}\r\n", most.min(size))).unwrap_or_default();
        let head = format!(
            "{} {} ICAP/1.0\r\nHost: {}\r\nUser-Agent: guichet\r\nAllow: 204\r\n{preview}Encapsulated: {parts}\r\n\r\n",
            wish.method, self.service, self.authority
        );
        stream.write_all(format!("{head}{request}{answer}").as_bytes()).await.map_err(told)
    }
}

fn wish_of(head: &Head) -> Result<Wish, String> {
    let methods = head.field("methods").unwrap_or_default().to_ascii_uppercase();
    let offers = |method: &str| methods.split(',').any(|offered| offered.trim() == method);
    let method = match () {
        () if offers("RESPMOD") => "RESPMOD",
        () if offers("REQMOD") => "REQMOD",
        () => return Err("the ICAP service looks at no files".to_owned()),
    };
    let preview = head.field("preview").and_then(|most| most.trim().parse().ok());
    let stays = !head.field("connection").is_some_and(|said| said.eq_ignore_ascii_case("close"));
    Ok(Wish { method, preview: preview.map(|most: u64| most.min(PREVIEW_MAX)), stays })
}

/// What an answer means, given the digest of what came back, if something did, and of the whole file, if it was sent.
fn judged(head: &Head, back: Option<[u8; 32]>, sent: Option<[u8; 32]>) -> Result<Verdict, String> {
    let named = ["x-infection-found", "x-violations-found", "x-virus-id"];
    let found = named.iter().find_map(|name| head.field(name));
    match (head.status, found) {
        (200 | 201 | 204, Some(found)) => Ok(Verdict::Found(threat(found))),
        (204, None) => Ok(Verdict::Clean),
        (200 | 201, None) if back.is_some() && back == sent => Ok(Verdict::Clean),
        (200 | 201, None) => Ok(Verdict::Found("the service replaced the file".to_owned())),
        (status, _) => Err(format!("the ICAP server answers {status}")),
    }
}

/// The name in `Type=0; Resolution=2; Threat=NAME;`, or all that was said.
fn threat(found: &str) -> String {
    let name = found.split(';').find_map(|part| part.trim().strip_prefix("Threat="));
    words(name.unwrap_or(found).trim())
}

/// Hands bytes over in chunks, without the last, empty one.
async fn hand_over(
    stream: &mut (impl AsyncWrite + Unpin),
    reader: &mut (impl AsyncRead + Unpin),
    sum: &mut Sha256,
) -> Result<(), String> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = reader.read(&mut buffer).await.map_err(told)?;
        if read == 0 {
            return Ok(());
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        sum.update(bytes);
        stream.write_all(format!("{read:x}\r\n").as_bytes()).await.map_err(told)?;
        stream.write_all(bytes).await.map_err(told)?;
        stream.write_all(b"\r\n").await.map_err(told)?;
    }
}

/// The head of an answer, the empty line after it included.
async fn head(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Head, String> {
    let mut stream = stream.take(HEAD_MAX);
    let first = line(&mut stream).await?;
    let status = first.strip_prefix("ICAP/1.").and_then(|rest| rest.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok());
    let mut head = Head { status: status.ok_or("what answers does not speak ICAP")?, fields: Vec::new() };
    loop {
        let next = line(&mut stream).await?;
        if next.is_empty() {
            return Ok(head);
        }
        match next.split_once(':') {
            Some((name, value)) if !next.starts_with([' ', '\t']) => {
                head.fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            // A line that goes on with the one before: nothing that is read here does.
            Some(_) | None => {}
        }
    }
}

async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<String, String> {
    let mut bytes = Vec::new();
    stream.read_until(b'\n', &mut bytes).await.map_err(told)?;
    if !bytes.ends_with(b"\n") {
        return Err("the ICAP server broke off, or says too much".to_owned());
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}

/// The digest of the body that came back; none if none did.
async fn sent_back(
    stream: &mut (impl AsyncBufRead + Unpin),
    head: &Head,
    size: u64,
) -> Result<Option<[u8; 32]>, String> {
    let parts = head.field("encapsulated").unwrap_or_default();
    let body = parts.split(',').find_map(|part| part.trim().split_once("-body="));
    let Some((kind, offset)) = body.filter(|(kind, _)| *kind != "null") else { return Ok(None) };
    let offset =
        offset.trim().parse().map_err(|_| format!("the ICAP server sends back what is no {kind}"))?;
    pass(stream, offset, HEAD_MAX, &mut Sha256::new()).await?;
    let (mut sum, mut left) = (Sha256::new(), size + MORE_MAX);
    loop {
        let length = line(stream).await?;
        let length = length.split(';').next().unwrap_or_default().trim();
        let length =
            u64::from_str_radix(length, 16).map_err(|_| "the ICAP server sends no chunks".to_owned())?;
        if length == 0 {
            return Ok(Some(sum.finalize().into()));
        }
        pass(stream, length, left, &mut sum).await?;
        left -= length;
        line(stream).await?;
    }
}

/// Reads so many bytes and no more than `most`.
async fn pass(
    stream: &mut (impl AsyncBufRead + Unpin),
    length: u64,
    most: u64,
    sum: &mut Sha256,
) -> Result<(), String> {
    if length > most {
        return Err("the ICAP server sends back too much".to_owned());
    }
    let mut left = stream.take(length);
    let mut buffer = vec![0; CHUNK];
    while left.limit() > 0 {
        let read = left.read(&mut buffer).await.map_err(told)?;
        if read == 0 {
            return Err("the ICAP server broke off".to_owned());
        }
        sum.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn told(error: std::io::Error) -> String {
    error.to_string()
}
