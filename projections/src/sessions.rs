//! Who is signed in, and who is about to be. Neither follows from the journal: it is kept beside the read models, so that
//! several servers share it, and a rebuild leaves it alone. Nothing in it opens anything by itself: what people hold is
//! kept as a digest only, and people as pseudonyms.

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::store::{Columns, Row, Snapshot, Table, Value, int, micros, text};

/// How far the last use of a session may lag behind, so that reading does not write each time.
const TOUCHED_EVERY: TimeDelta = TimeDelta::seconds(60);

/// Sessions.
pub(crate) static SESSIONS: Table = Table {
    name: "session",
    columns: &[
        text("digest"),
        text("tenant"),
        text("kind"),
        text("holder"),
        int("opened"),
        int("touched"),
        int("ends"),
    ],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// What must come back from an identity provider before somebody is signed in.
pub(crate) static SIGN_INS: Table = Table {
    name: "sign_in",
    columns: &[text("digest"), text("said"), int("ends")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The digest of what they hold.
    pub digest: String,
    /// The collectivity.
    pub tenant: String,
    /// What they are: `agent` or `citizen`.
    pub kind: String,
    /// Who: a staff code or an account's id.
    pub holder: String,
    /// Since when (UTC).
    pub opened: DateTime<Utc>,
    /// When they last did something (UTC), a minute exact.
    pub touched: DateTime<Utc>,
    /// When they must sign in again, whatever they do (UTC).
    pub ends: DateTime<Utc>,
}

fn read(row: &Row) -> Result<Session, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(Session {
        digest: at.take()?,
        tenant: at.take()?,
        kind: at.take()?,
        holder: at.take()?,
        opened: at.instant()?,
        touched: at.instant()?,
        ends: at.instant()?,
    })
}

impl ReadModels {
    /// Opens a session, and forgets those that are over.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn session_open(&self, session: &Session, idle: TimeDelta) -> Result<(), ProjectionError> {
        let (now, quiet) = (micros(session.opened), micros(session.opened - idle));
        let sql = format!("INSERT INTO session ({}) VALUES (?, ?, ?, ?, ?, ?, ?)", SESSIONS.column_list());
        let values: [Value; 7] = [
            (&session.digest).into(),
            (&session.tenant).into(),
            (&session.kind).into(),
            (&session.holder).into(),
            session.opened.into(),
            session.touched.into(),
            session.ends.into(),
        ];
        let work = async |connection: &mut crate::store::Connection<'_>| {
            let over = "DELETE FROM session WHERE ends <= ? OR touched <= ?";
            connection.run(over, &[now.into(), quiet.into()]).await?;
            connection.run(&sql, &values).await.map(drop)
        };
        self.database().shared(work).await
    }

    /// The session with this digest, if it is neither over nor, for `idle`, unused; from `now` (UTC) on it counts as used.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn session(
        &self,
        digest: &str,
        now: DateTime<Utc>,
        idle: TimeDelta,
    ) -> Result<Option<Session>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), SESSIONS.name).await?;
        let sql = format!("SELECT {} FROM session WHERE digest = ?", SESSIONS.column_list());
        let rows = snapshot.rows(sql, &[digest.into()]).await?;
        drop(snapshot);
        let session = rows.first().map(read).transpose()?;
        let session = session.filter(|session| now < session.ends && now - session.touched < idle);
        if session.as_ref().is_some_and(|session| now - session.touched >= TOUCHED_EVERY) {
            let sql = "UPDATE session SET touched = ? WHERE digest = ? AND touched < ?";
            let values: [Value; 3] = [now.into(), digest.into(), now.into()];
            self.database().shared(async |connection| connection.run(sql, &values).await.map(drop)).await?;
        }
        Ok(session)
    }

    /// Ends a session. One that is over already stays so.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn session_end(&self, digest: &str) -> Result<(), ProjectionError> {
        let (sql, values) = ("DELETE FROM session WHERE digest = ?", [digest.into()]);
        self.database().shared(async |connection| connection.run(sql, &values).await.map(drop)).await
    }

    /// Ends every session of somebody in a collectivity: what they hold opens nothing any more, on any server.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn sessions_end(&self, tenant: &str, kind: &str, holder: &str) -> Result<(), ProjectionError> {
        let sql = "DELETE FROM session WHERE tenant = ? AND kind = ? AND holder = ?";
        let values: [Value; 3] = [tenant.into(), kind.into(), holder.into()];
        self.database().shared(async |connection| connection.run(sql, &values).await.map(drop)).await
    }

    /// The sessions of somebody in a collectivity that are not over at `now` (UTC), the last opened first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn sessions_of(
        &self,
        (tenant, kind, holder): (&str, &str, &str),
        now: DateTime<Utc>,
        idle: TimeDelta,
    ) -> Result<Vec<Session>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), SESSIONS.name).await?;
        let sql = format!(
            "SELECT {} FROM session WHERE tenant = ? AND kind = ? AND holder = ? AND ends > ? AND touched > ? \
             ORDER BY opened DESC",
            SESSIONS.column_list()
        );
        let values: [Value; 5] = [tenant.into(), kind.into(), holder.into(), now.into(), (now - idle).into()];
        snapshot.rows(sql, &values).await?.iter().map(read).collect()
    }

    /// Keeps what must come back before somebody is signed in, until `ends` (UTC), and forgets what never came.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn sign_in_begin(
        &self,
        digest: &str,
        said: &str,
        (now, ends): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), ProjectionError> {
        let values: [Value; 3] = [digest.into(), said.into(), ends.into()];
        let work = async |connection: &mut crate::store::Connection<'_>| {
            connection.run("DELETE FROM sign_in WHERE ends <= ?", &[now.into()]).await?;
            let sql = "INSERT INTO sign_in (digest, said, ends) VALUES (?, ?, ?)";
            connection.run(sql, &values).await.map(drop)
        };
        self.database().shared(work).await
    }

    /// What was kept under this digest, once: it is gone then.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn sign_in_end(
        &self,
        digest: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, ProjectionError> {
        let (sql, values) = ("DELETE FROM sign_in WHERE digest = ? RETURNING said, ends", [digest.into()]);
        let rows = self.database().shared(async |connection| connection.run(sql, &values).await).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut at = Columns::new(row);
        let (said, ends) = (at.take::<String>()?, at.instant()?);
        Ok((now < ends).then_some(said))
    }
}
