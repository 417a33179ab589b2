//! Writes messages into a folder instead of sending them: the default, so that nothing leaves by accident.

use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Means, OutMessage, Outbound, SendError, mail};

/// Writes each message to a file of its own: e-mails as `.eml`, which mail programs open, text messages as `.sms.txt`.
/// The files are readable by their owner only; they hold personal data in clear, and erasing a person does not reach
/// them. The same message written twice is one file.
#[derive(Debug, Clone)]
pub struct FileOutbound {
    folder: PathBuf,
}

impl FileOutbound {
    /// Into `folder`, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(folder: impl Into<PathBuf>) -> std::io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&self, message: &OutMessage) -> Result<(), SendError> {
        let (ending, bytes) = match message.means {
            Means::Email => ("eml", mail::mail(message)?.formatted()),
            Means::Social => ("social.txt", format!("{}\n\n{}\n", message.to, message.text).into_bytes()),
            Means::Sms => ("sms.txt", format!("{}\n\n{}\n", message.to, message.text).into_bytes()),
        };
        let name: String =
            message.id.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
        let path = self.folder.join(format!("{name}.{ending}"));
        write_private(&path, &bytes).map_err(|error| SendError::Later(error.kind().to_string()))
    }
}

#[async_trait]
impl Outbound for FileOutbound {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        let (outbound, message) = (self.clone(), message.clone());
        tokio::task::spawn_blocking(move || outbound.write(&message))
            .await
            .map_err(|_| SendError::Later("the writing was interrupted".into()))?
    }
}

/// Written whole or not at all: first beside, then moved to its place.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(&beside)?.write_all(bytes)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::super::mail::tests::sample;
    use super::*;

    #[tokio::test]
    async fn a_message_written_twice_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let outbound = FileOutbound::new(folder.path().join("outbox")).unwrap();
        outbound.send(&sample()).await.unwrap();
        outbound.send(&sample()).await.unwrap();
        let sms = OutMessage { means: Means::Sms, to: "0612345678".into(), ..sample() };
        outbound.send(&sms).await.unwrap();
        let mut names: Vec<_> = std::fs::read_dir(outbound.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names[0].ends_with(".eml") && names[1].ends_with(".sms.txt"), "{names:?}");
    }

    #[tokio::test]
    async fn an_id_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let outbound = FileOutbound::new(folder.path().join("outbox")).unwrap();
        outbound.send(&OutMessage { id: "../../x".into(), ..sample() }).await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
