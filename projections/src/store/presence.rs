//! Being there with other servers. Alone on a file of SQLite there is nobody else.

use sqlx::postgres::PgListener;

use super::connection::Connection;
use super::database::Database;
use super::postgres;
use super::value::Value;
use crate::error::ProjectionError;

/// A server's presence at its database, from which its lead hangs.
pub(crate) enum Presence {
    Alone,
    AmongOthers(postgres::Presence),
}

/// By what a lead is recognised when it is drawn: the session that holds it, where there are several servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Witness(Option<i32>);

/// What tells of the leader's commits.
pub(crate) enum Ear {
    Alone,
    AmongOthers(PgListener),
}

/// The tables of one version of the program.
pub(crate) type Set = (String, Option<i64>, bool, i64);

impl Database {
    /// Says that this server is there.
    pub(crate) async fn arrive(&self) -> Result<Presence, ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(Presence::Alone),
            Self::Postgres(postgres) => Ok(Presence::AmongOthers(postgres.arrive().await?)),
        }
    }

    /// The lead that a server has from the start, because nobody else can.
    pub(crate) fn sole_lead(&self) -> Option<Witness> {
        matches!(self, Self::Sqlite(_)).then_some(Witness(None))
    }

    /// Begins to listen.
    pub(crate) async fn listen(&self) -> Result<Ear, ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(Ear::Alone),
            Self::Postgres(postgres) => Ok(Ear::AmongOthers(postgres.listen().await?)),
        }
    }

    /// The sets of tables that stand side by side; none in SQLite.
    pub(crate) async fn sets(&self) -> Result<Vec<Set>, ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(postgres) => postgres::sets(&mut *postgres.pool.acquire().await?).await,
        }
    }

    /// The name of this version's set; none in SQLite.
    pub(crate) fn own_set(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(postgres) => Some(&postgres.schema),
        }
    }

    /// Drops a set that nobody uses.
    pub(crate) async fn drop_set(&self, name: &str) -> Result<bool, ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(false),
            Self::Postgres(postgres) => {
                let mut transaction = postgres.begin("BEGIN").await?;
                let dropped = postgres::drop_set(&mut transaction, name).await?;
                transaction.commit().await?;
                Ok(dropped)
            }
        }
    }
}

impl Presence {
    /// Takes the lead if nobody has it.
    pub(crate) async fn try_lead(&mut self) -> Result<Option<Witness>, ProjectionError> {
        match self {
            Self::Alone => Ok(Some(Witness(None))),
            Self::AmongOthers(presence) => {
                Ok(presence.try_lead().await?.then_some(Witness(Some(presence.pid))))
            }
        }
    }

    /// Says that this server is still there.
    pub(crate) async fn beat(&mut self) -> Result<(), ProjectionError> {
        match self {
            Self::Alone => std::future::pending().await,
            Self::AmongOthers(presence) => presence.beat().await,
        }
    }

    /// Notes that this version's tables are in use.
    pub(crate) async fn note(&mut self) -> Result<(), ProjectionError> {
        match self {
            Self::Alone => Ok(()),
            Self::AmongOthers(presence) => presence.note().await,
        }
    }
}

impl Ear {
    /// Returns when the leader has written, or perhaps has.
    pub(crate) async fn hear(&mut self) -> Result<(), ProjectionError> {
        match self {
            Self::Alone => std::future::pending().await,
            Self::AmongOthers(listener) => {
                listener.recv().await?;
                // What came in meanwhile is seen by the same look.
                while listener.next_buffered().is_some() {}
                Ok(())
            }
        }
    }
}

impl Connection<'_> {
    /// In a transaction: draws a number for a new lead, higher than any before; none where the witness does not lead.
    pub(crate) async fn draw_epoch(
        &mut self,
        Witness(witness): Witness,
    ) -> Result<Option<i64>, ProjectionError> {
        match (self, witness) {
            (Self::Postgres(connection), Some(pid)) => postgres::take_lead(connection, pid).await,
            (connection, _) => {
                let sql = "UPDATE leadership SET epoch = epoch + 1 RETURNING epoch";
                let rows = connection.run(sql, &[]).await?;
                rows.first().map(|row| super::Columns::new(row).take()).transpose()
            }
        }
    }

    /// In a transaction: tells other servers when it is committed.
    pub(crate) async fn announce(&mut self) -> Result<(), ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self.run(postgres::ANNOUNCE, &[]).await.map(drop),
        }
    }

    /// Now, as all servers count it: by the database's clock in microseconds since 1970; alone, by one's own.
    pub(crate) async fn clock(&mut self, own: i64) -> Result<i64, ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(own),
            Self::Postgres(_) => {
                let rows = self.run(postgres::CLOCK, &[] as &[Value]).await?;
                rows.first().map_or(Ok(own), |row| super::Columns::new(row).take())
            }
        }
    }
}
