//! Rows that could not be imported: written unchanged, with their line and the reason, so that nothing is lost.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use csv::ByteRecord;

/// Writes rows that are kept aside. The file exists only once there is a row to keep.
pub(super) struct AsideFile {
    path: PathBuf,
    header: ByteRecord,
    separator: u8,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl AsideFile {
    /// Rows will be kept in `path`, under this header. What an earlier run kept there is forgotten: the rows come again.
    pub(super) fn new(path: PathBuf, header: ByteRecord, separator: u8) -> std::io::Result<Self> {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(Self { path, header, separator, writer: None })
    }

    /// Keeps a row.
    pub(super) fn keep(&mut self, line: u64, reason: &str, row: &ByteRecord) -> std::io::Result<()> {
        if self.writer.is_none() {
            self.writer = Some(self.begin()?);
        }
        if let Some(writer) = &mut self.writer {
            let (line, reason) = (line.to_string(), reason.replace(['\r', '\n'], " "));
            let own = [line.as_bytes(), reason.as_bytes()];
            writer.write_record(own.into_iter().chain(row.iter()))?;
        }
        Ok(())
    }

    fn begin(&self) -> std::io::Result<csv::Writer<BufWriter<File>>> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = BufWriter::new(File::create(&self.path)?);
        // Rows with too few or too many columns are kept as they are.
        let mut writer = csv::WriterBuilder::new().delimiter(self.separator).flexible(true).from_writer(file);
        let own: [&[u8]; 2] = [b"line", b"reason"];
        writer.write_record(own.into_iter().chain(self.header.iter()))?;
        Ok(writer)
    }

    /// Makes it durable; gives the path if there is anything in it.
    pub(super) fn finish(self) -> std::io::Result<Option<PathBuf>> {
        let Some(writer) = self.writer else { return Ok(None) };
        let file = writer.into_inner().map_err(|error| error.into_error())?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(Some(self.path))
    }
}

/// Where the rows of `file` are kept, below the data folder.
pub(super) fn aside_path(data: &Path, file: &Path) -> PathBuf {
    let name = file.file_name().map_or_else(|| "import".into(), |name| name.to_string_lossy());
    data.join("imports").join(format!("{name}.aside.csv"))
}
