//! Reads a catalogue from a folder of YAML files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use guichet_engine::rules::language::source::{NotText, SourceFile, Unread};

/// The largest file of a catalogue, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The most files of a catalogue. Châlons had 503 processes, each with its scenarios.
pub const FILES_MAX: usize = 10_000;
/// The most text of a catalogue, in bytes.
pub const BYTES_MAX: usize = 32 << 20;
/// The deepest folder of a catalogue, counted from its own.
pub const DEPTH_MAX: usize = 8;

/// Why a catalogue cannot be read from its folder.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueFolderError {
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no `catalogue.yaml`.
    #[error("`{path}` is no catalogue: it has no `catalogue.yaml`")]
    NoCatalogue {
        /// The folder.
        path: PathBuf,
    },
    /// A file is larger than anyone reads.
    #[error("`{path}` is larger than the {FILE_BYTES_MAX} bytes that a sheet may have")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Not text.
    #[error("`{path}` is not UTF-8 text")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// More text than a catalogue has.
    #[error("`{path}` has more than {BYTES_MAX} bytes of sheets")]
    TooMuch {
        /// The catalogue's folder.
        path: PathBuf,
    },
    /// More files or deeper folders than a catalogue has.
    #[error("`{path}` has more than {FILES_MAX} sheets, or folders more than {DEPTH_MAX} deep")]
    TooMany {
        /// The catalogue's folder.
        path: PathBuf,
    },
}

/// The files of a catalogue: those that are text, and those that are not.
#[derive(Debug, Clone, Default)]
pub struct CatalogueFiles {
    /// The files, in the order of their paths.
    pub files: Vec<SourceFile>,
    /// What could not be read as text, in the order of the paths.
    pub unread: Vec<Unread>,
}

/// The YAML and GeoJSON files below `folder`, in the order of their paths, scenarios (`*.test.yaml`) included. Hidden
/// files, and links that lead elsewhere, are left aside.
///
/// # Errors
/// [`CatalogueFolderError`].
pub fn read_catalogue_folder(folder: &Path) -> Result<Vec<SourceFile>, CatalogueFolderError> {
    let CatalogueFiles { files, unread } = read_catalogue_files(folder)?;
    let Some(first) = unread.first() else { return Ok(files) };
    let path = folder.join(&first.path);
    Err(match first.why {
        NotText::TooLarge { .. } => CatalogueFolderError::TooLarge { path },
        NotText::Encoding { .. } => CatalogueFolderError::NotText { path },
    })
}

/// The same, where a file that is no text or too large is told beside the others.
///
/// # Errors
/// [`CatalogueFolderError`]: the folder itself cannot be read, or holds too much.
pub fn read_catalogue_files(folder: &Path) -> Result<CatalogueFiles, CatalogueFolderError> {
    if !folder.join("catalogue.yaml").is_file() {
        return Err(CatalogueFolderError::NoCatalogue { path: folder.to_owned() });
    }
    let mut read = CatalogueFiles::default();
    let mut bytes = 0;
    for path in list_catalogue_files(folder)? {
        let name = relative(folder, &path);
        match read_text(&path)? {
            Ok(text) => {
                bytes += text.len();
                read.files.push(SourceFile { path: name, text });
            }
            Err(why) => read.unread.push(Unread { path: name, why }),
        }
        if bytes > BYTES_MAX {
            return Err(CatalogueFolderError::TooMuch { path: folder.to_owned() });
        }
    }
    Ok(read)
}

/// The paths of the files that [`read_catalogue_files`] reads, sorted; nothing is read yet.
///
/// # Errors
/// [`CatalogueFolderError`]: the folder cannot be read, or holds too many files.
pub fn list_catalogue_files(folder: &Path) -> Result<Vec<PathBuf>, CatalogueFolderError> {
    let mut found = Vec::new();
    collect(folder, folder, 0, &mut found)?;
    found.sort_by_cached_key(|path| relative(folder, path));
    Ok(found)
}

fn collect(
    root: &Path,
    folder: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), CatalogueFolderError> {
    let unreadable = |source| CatalogueFolderError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        if entry.file_name().to_string_lossy().starts_with('.') || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            if depth >= DEPTH_MAX {
                return Err(CatalogueFolderError::TooMany { path: root.to_owned() });
            }
            collect(root, &path, depth + 1, found)?;
        } else if kind.is_file() && is_sheet(&path) {
            if found.len() >= FILES_MAX {
                return Err(CatalogueFolderError::TooMany { path: root.to_owned() });
            }
            found.push(path);
        }
    }
    Ok(())
}

fn is_sheet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "geojson")
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The text of a file, of which no more is read than a sheet may have.
fn read_text(path: &Path) -> Result<Result<String, NotText>, CatalogueFolderError> {
    let unreadable = |source| CatalogueFolderError::Unreadable { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        return Ok(Err(NotText::TooLarge { bytes: length }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    // A file may grow while it is read.
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let bytes_read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if bytes_read > FILE_BYTES_MAX {
        return Ok(Err(NotText::TooLarge { bytes: bytes_read }));
    }
    Ok(String::from_utf8(bytes).map_err(|error| encoding(error.as_bytes(), error.utf8_error().valid_up_to())))
}

/// What a file that is not UTF-8 seems to be in, with its text as far as the line that shows it.
fn encoding(bytes: &[u8], valid: usize) -> NotText {
    let utf16 = |little: bool, rest: &[u8]| {
        let units = rest.chunks_exact(2).map(|pair| match pair {
            [low, high] if little => u16::from_le_bytes([*low, *high]),
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        });
        let text: String =
            char::decode_utf16(units.take(400)).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
        NotText::Encoding { probably: "UTF-16", text: text.lines().take(1).collect(), at: 0 }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return utf16(true, rest),
        [0xfe, 0xff, rest @ ..] => return utf16(false, rest),
        _ => {}
    }
    // Every byte is a letter of Latin-1, the encoding that old editors fall back on.
    let end = bytes.iter().skip(valid).position(|byte| *byte == b'\n').map_or(bytes.len(), |at| valid + at);
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
    let line: String =
        bytes.get(valid..end).unwrap_or_default().iter().take(400).copied().map(char::from).collect();
    NotText::Encoding { probably: "Latin-1", at: before.len(), text: format!("{before}{line}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn sheets_come_in_the_order_of_their_paths_and_nothing_else_does() {
        let folder = folder(&[
            ("voirie/b.yaml", b"b"),
            ("catalogue.yaml", b"c"),
            ("voirie/a.test.yaml", b"a"),
            ("README.md", b"no"),
            (".git/config.yaml", b"no"),
        ]);
        let files = read_catalogue_folder(folder.path()).unwrap();
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["catalogue.yaml", "voirie/a.test.yaml", "voirie/b.yaml"]);
    }

    #[test]
    fn what_cannot_be_a_catalogue_is_told_so() {
        let empty = folder(&[("x.yaml", b"")]);
        assert!(matches!(read_catalogue_folder(empty.path()), Err(CatalogueFolderError::NoCatalogue { .. })));
        let large = vec![b'#'; 1024 * 1024 + 1];
        let large = folder(&[("catalogue.yaml", b"c"), ("big.yaml", &large)]);
        assert!(matches!(read_catalogue_folder(large.path()), Err(CatalogueFolderError::TooLarge { .. })));
        let binary = folder(&[("catalogue.yaml", b"\xff\xfe")]);
        assert!(matches!(read_catalogue_folder(binary.path()), Err(CatalogueFolderError::NotText { .. })));
    }
}
