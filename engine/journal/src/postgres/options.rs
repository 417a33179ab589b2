//! Where the database is, and how it is spoken to.

use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::error::JournalError;
use crate::limits::POSTGRES_STATEMENT_SECONDS_MAX;

/// Where a database stands and which schema of it holds the journal. Never shows the password.
#[derive(Clone)]
pub struct PostgresOptions {
    connect: PgConnectOptions,
    schema: String,
    readers: u32,
    timeout: u64,
}

/// The schema where none is named.
const SCHEMA: &str = "guichet";

/// Connections that read at the same time, where no other number is given.
const READERS: u32 = 8;

impl PostgresOptions {
    /// Reads `postgres://user:password@host:port/database?sslmode=…`, as libpq does, with the parameters of libpq that sqlx knows. Three
    /// more are Guichet's: `schema` (default `guichet`), `readers`, the most connections that read at the same time (default 8), and `timeout`,
    /// the seconds that one statement may take (default and at most 30).
    ///
    /// # Errors
    /// `Unavailable` with what is wrong; the address is not repeated, for it may hold a password.
    pub fn parse(url: &str) -> Result<Self, JournalError> {
        let wrong = |what: &str| {
            JournalError::unavailable(format!(
                "the address of the database is not valid ({what}); expected: postgres://user@host:5432/database"
            ))
        };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(wrong("it does not begin with `postgres://`"));
        }
        let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
        let number = |name: &str, text: &str, most: u32| {
            let number = text.parse().ok().filter(|number| (1..=most).contains(number));
            number.ok_or_else(|| wrong(&format!("`{name}` is a number from 1 to {most}")))
        };
        let (mut schema, mut readers, mut rest) = (SCHEMA.to_owned(), READERS, Vec::new());
        let mut timeout = POSTGRES_STATEMENT_SECONDS_MAX;
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("schema", name)) => name.clone_into(&mut schema),
                Some((name @ "readers", text)) => readers = number(name, text, 100)?,
                Some((name @ "timeout", text)) => timeout = number(name, text, 30)?.into(),
                Some(_) | None => rest.push(parameter),
            }
        }
        let connect = PgConnectOptions::from_str(&format!("{address}?{}", rest.join("&")))
            .map_err(|_| wrong("it cannot be read"))?;
        let connect = match connect.get_application_name() {
            Some(_) => connect,
            None => connect.application_name("guichet"),
        };
        Self { connect: connect.disable_statement_logging(), schema: SCHEMA.to_owned(), readers, timeout }
            .with_schema(&schema)
    }

    /// The same database with another schema.
    ///
    /// # Errors
    /// `Unavailable` when the name is not made of small letters, digits and underscores, or is too long.
    pub fn with_schema(mut self, schema: &str) -> Result<Self, JournalError> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts = schema.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || schema.len() > 40 || !schema.chars().all(good) {
            return Err(JournalError::unavailable(
                "the name of a schema is made of small letters, digits and underscores, 40 at most",
            ));
        }
        schema.clone_into(&mut self.schema);
        Ok(self)
    }

    /// The same database with the schema that holds the keys.
    pub(crate) fn of_keys(&self) -> Self {
        Self { schema: self.keys_schema(), ..self.clone() }
    }

    /// The schema that holds the keys.
    #[must_use]
    pub fn keys_schema(&self) -> String {
        format!("{}_keys", self.schema)
    }

    /// The schema that holds the journal.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The seconds that one statement may take.
    pub(crate) fn timeout(&self) -> u64 {
        self.timeout
    }

    pub(crate) fn readers(&self) -> u32 {
        self.readers
    }

    pub(crate) fn connect(&self) -> &PgConnectOptions {
        &self.connect
    }

    /// The database and schema for a person to read, without the password.
    pub(crate) fn place(&self) -> String {
        format!(
            "schema `{}` of database `{}` on {}:{}",
            self.schema,
            self.connect.get_database().unwrap_or(self.connect.get_username()),
            self.connect.get_host(),
            self.connect.get_port()
        )
    }
}

impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresOptions({})", self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_parameters_are_taken_out_and_the_rest_is_passed_on() {
        let options = PostgresOptions::parse(
            "postgres://town:s3cret@db.example:5433/ville?schema=annexe&sslmode=verify-full&readers=3",
        )
        .unwrap();
        assert_eq!((options.schema(), options.readers()), ("annexe", 3));
        assert_eq!(options.connect.get_host(), "db.example");
        assert!(matches!(options.connect.get_ssl_mode(), sqlx::postgres::PgSslMode::VerifyFull));
        assert_eq!(
            format!("{options:?}"),
            "PostgresOptions(schema `annexe` of database `ville` on db.example:5433)"
        );
    }

    #[test]
    fn a_bad_address_is_refused_without_being_repeated() {
        for url in [
            "mysql://town:s3cret@db/ville",
            "postgres://town:s3cret@db:notaport/ville",
            "postgres://town:s3cret@db/ville?sslmode=s3cret",
            "postgres://town:s3cret@db/ville?schema=s3cret;drop",
            "postgres://town:s3cret@db/ville?readers=s3cret",
            "postgres://town:s3cret@db/ville?timeout=31",
        ] {
            let refused = PostgresOptions::parse(url).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("s3cret"), "{refused}");
        }
    }
}
