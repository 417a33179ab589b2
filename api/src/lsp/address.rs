//! Addresses of documents (`file:///…`) and paths.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use gen_lsp_types::Uri;
use url::Url;

/// The path that an address names, if it names a file of this machine.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let url = Url::parse(uri.as_ref()).ok().filter(|url| url.scheme() == "file")?;
    url.to_file_path().ok()
}

/// The address of a path.
pub(super) fn uri_of(path: &Path) -> Option<Uri> {
    Url::from_file_path(path).ok().map(|url| Uri::from(String::from(url)))
}

/// The path with its links followed, as far as it exists: a file that was never saved lies in a folder that does.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut missing: Vec<OsString> = Vec::new();
    for folder in path.ancestors() {
        if let Ok(found) = std::fs::canonicalize(folder) {
            return missing.iter().rev().fold(found, |path, name| path.join(name));
        }
        let Some(name) = folder.file_name() else { break };
        missing.push(name.to_owned());
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_spaces_go_there_and_back() {
        let path = Path::new("/srv/fiches d’été/voirie/é.yaml");
        let uri = uri_of(path).unwrap();
        assert!(uri.as_ref().is_ascii());
        assert_eq!(path_of(&uri).as_deref(), Some(path));
        for strange in ["untitled:Untitled-1", "", "file://elsewhere/x.yaml", "https://x.example/y.yaml"] {
            assert_eq!(path_of(&Uri::from(strange)), None, "{strange}");
        }
    }

    #[test]
    fn a_file_that_was_never_saved_is_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let real_folder = std::fs::canonicalize(folder.path()).unwrap();
        assert_eq!(real(&folder.path().join("a/b.yaml")), real_folder.join("a/b.yaml"));
    }
}
