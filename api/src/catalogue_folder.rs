//! Reads a catalogue from a folder of YAML files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use guichet_engine::rules::language::source::SourceFile;

/// The largest file of a catalogue, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The most files of a catalogue. Châlons had 503 processes, each with its scenarios.
pub const FILES_MAX: usize = 10_000;
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
    /// More files or deeper folders than a catalogue has.
    #[error("`{path}` has more than {FILES_MAX} sheets, or folders more than {DEPTH_MAX} deep")]
    TooMany {
        /// The catalogue's folder.
        path: PathBuf,
    },
}

/// The YAML and GeoJSON files below `folder`, in the order of their paths, scenarios (`*.test.yaml`) included. Hidden
/// files, and links that lead elsewhere, are left aside.
///
/// # Errors
/// [`CatalogueFolderError`].
pub fn read_catalogue_folder(folder: &Path) -> Result<Vec<SourceFile>, CatalogueFolderError> {
    if !folder.join("catalogue.yaml").is_file() {
        return Err(CatalogueFolderError::NoCatalogue { path: folder.to_owned() });
    }
    let mut files = Vec::new();
    collect(folder, folder, 0, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(
    root: &Path,
    folder: &Path,
    depth: usize,
    files: &mut Vec<SourceFile>,
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
            collect(root, &path, depth + 1, files)?;
        } else if is_sheet(&path) {
            if files.len() >= FILES_MAX {
                return Err(CatalogueFolderError::TooMany { path: root.to_owned() });
            }
            files.push(SourceFile { path: relative(root, &path), text: read(&path)? });
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

fn read(path: &Path) -> Result<String, CatalogueFolderError> {
    let unreadable = |source| CatalogueFolderError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(CatalogueFolderError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| CatalogueFolderError::NotText { path: path.to_owned() })
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
