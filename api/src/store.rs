//! Where a town hall's memory stands: a folder of this machine, or a server that several share.

use std::path::PathBuf;
use std::str::FromStr;

use guichet_projections::Place;

/// Where the journal and its keys stand.
///
/// # Examples
/// ```
/// use guichet::Store;
///
/// assert_eq!(Store::parse("sqlite:guichet-data")?, Store::Sqlite("guichet-data".into()));
/// let store = Store::parse("postgres://guichet:secret@db.example/guichet")?;
/// assert_eq!(store.to_string(), "postgres://guichet@db.example/guichet");
/// # Ok::<(), guichet::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// A folder of this machine with SQLite files; one program at a time.
    Sqlite(PathBuf),
    /// A PostgreSQL database; several programs at a time.
    Postgres(Address),
    /// A KurrentDB cluster; several programs at a time.
    #[cfg(feature = "kurrentdb")]
    Kurrent(Address),
}

/// The address of a server. It may hold a password, so it is shown without one.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

/// Where read models stand, from `sqlite:FILE` or `postgres://…`.
///
/// # Errors
/// [`StoreError`].
pub fn read_models_place(text: &str) -> Result<Place, StoreError> {
    match Store::parse(text)? {
        Store::Sqlite(file) => Ok(Place::Sqlite(file)),
        Store::Postgres(address) => Ok(Place::Postgres(address.secret().to_owned())),
        #[cfg(feature = "kurrentdb")]
        Store::Kurrent(_) => Err(StoreError::NoTables),
    }
}

/// Why a store cannot be made out. No sentence repeats the address: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It begins with nothing known.
    #[error("a store is written sqlite:FOLDER, postgres://… or kurrentdb://…, and this one is not")]
    Unknown,
    /// It names no folder.
    #[error("`sqlite:` is to be followed by a folder")]
    NoFolder,
    /// It has no tables for read models.
    #[error("read models stand in sqlite:FILE or postgres://…")]
    NoTables,
    /// This program was built without it.
    #[error("this guichet was built without {0}")]
    NotBuilt(&'static str),
}

impl Store {
    /// Reads `sqlite:FOLDER`, `postgres://…`, `postgresql://…`, `kurrentdb://…` or `esdb://…`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let text = text.trim();
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("sqlite") => {
                let folder = text.split_once(':').map_or("", |(_, folder)| folder);
                if folder.is_empty() { Err(StoreError::NoFolder) } else { Ok(Self::Sqlite(folder.into())) }
            }
            Some("postgres" | "postgresql") => Ok(Self::Postgres(Address(text.to_owned()))),
            #[cfg(feature = "kurrentdb")]
            Some(scheme) if is_kurrent(scheme) => Ok(Self::Kurrent(Address(text.to_owned()))),
            #[cfg(not(feature = "kurrentdb"))]
            Some(scheme) if is_kurrent(scheme) => Err(StoreError::NotBuilt("kurrentdb")),
            Some(_) | None => Err(StoreError::Unknown),
        }
    }

    /// Its kind in a word, as manifests of backups name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
            #[cfg(feature = "kurrentdb")]
            Self::Kurrent(_) => "kurrentdb",
        }
    }

    /// Whether several programs may work on it at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self, Self::Sqlite(_))
    }
}

/// `kurrentdb`, or `esdb` as it was called before, with or without `+discover`.
fn is_kurrent(scheme: &str) -> bool {
    matches!(scheme.split('+').next(), Some("kurrentdb" | "kurrent" | "esdb"))
}

impl std::fmt::Display for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(folder) => write!(formatter, "sqlite:{}", folder.display()),
            Self::Postgres(address) => address.fmt(formatter),
            #[cfg(feature = "kurrentdb")]
            Self::Kurrent(address) => address.fmt(formatter),
        }
    }
}

impl Address {
    /// The address with everything in it. It is for connecting, not for showing.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Whether it holds a password, or may: one that cannot be taken apart counts as holding one.
    #[must_use]
    pub fn has_password(&self) -> bool {
        let Ok(url) = url::Url::parse(&self.0) else { return true };
        url.password().is_some() || url.query_pairs().any(|(name, _)| name.contains("pass"))
    }
}

impl FromStr for Address {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Without password and without parameters, which may hold one.
impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.0.split(':').next().unwrap_or_default();
        let Ok(mut url) = url::Url::parse(&self.0) else { return write!(formatter, "{scheme}:…") };
        if url.set_password(None).is_err() && url.password().is_some() {
            return write!(formatter, "{scheme}:…");
        }
        url.set_query(None);
        url.set_fragment(None);
        formatter.write_str(url.as_str())
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_store_is_made_out() {
        assert_eq!(Store::parse("sqlite:/var/lib/guichet"), Ok(Store::Sqlite("/var/lib/guichet".into())));
        for postgres in ["postgres://h/d", "postgresql://h/d", "POSTGRES://h/d", " postgres://h/d\n"] {
            assert!(matches!(Store::parse(postgres), Ok(Store::Postgres(_))), "{postgres}");
        }
        assert_eq!(Store::parse("sqlite:"), Err(StoreError::NoFolder));
        for unknown in ["", "guichet-data", "mysql://h/d", "sqlit:x"] {
            assert_eq!(Store::parse(unknown), Err(StoreError::Unknown), "{unknown}");
        }
    }

    #[cfg(not(feature = "kurrentdb"))]
    #[test]
    fn a_store_that_was_not_built_in_says_so() {
        for address in ["kurrentdb://h:2113", "esdb://h:2113", "kurrentdb+discover://h:2113"] {
            assert_eq!(Store::parse(address), Err(StoreError::NotBuilt("kurrentdb")), "{address}");
        }
    }

    #[test]
    fn no_password_is_ever_shown() {
        for text in [
            "postgres://guichet:s3cret@db.example:5432/guichet",
            "postgres://db.example/guichet?user=guichet&password=s3cret",
            "postgres:///guichet?host=/run/postgresql&password=s3cret",
            "postgres://guichet:s3cret@a:1,b:2/guichet",
            "postgres://guichet:s3cret@[bad/guichet",
        ] {
            let Ok(Store::Postgres(address)) = Store::parse(text) else { panic!("{text}") };
            assert!(address.has_password(), "{text}");
            for shown in [format!("{address}"), format!("{address:?}"), format!("{:?}", Store::parse(text))] {
                assert!(!shown.contains("s3cret"), "{shown}");
            }
            assert_eq!(address.secret(), text);
        }
        let Ok(Store::Postgres(plain)) = Store::parse("postgres://postgres@127.0.0.1:5433/postgres") else {
            panic!()
        };
        assert!(!plain.has_password());
        assert_eq!(plain.to_string(), "postgres://postgres@127.0.0.1:5433/postgres");
    }
}
