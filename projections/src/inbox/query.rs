//! Asking for an inbox: by person, with whom they stand in for, by role or by service.

use chrono::NaiveDate;
use guichet_rules::organisation::Organisation;
use guichet_rules::process::Party;
use guichet_rules::request::RequestId;
use serde::{Deserialize, Serialize};

use super::{InboxItem, MODEL, TABLE, Work};
use crate::answer::{Answer, rows_of};
use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::request_card::priority_of;
use crate::store::{Columns, Row, Snapshot, Value, Where, code};

/// Whose inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// A person's: their own, their roles', their services', and those they stand in for on `day`.
    Person {
        /// Staff code.
        person: String,
        /// The day, in the town hall's zone.
        day: NaiveDate,
    },
    /// A role's.
    Role(String),
    /// A service's, whoever in it has the request.
    Service(String),
    /// Everybody's.
    Everyone,
}

/// Which things to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxQuery {
    /// The collectivity.
    pub tenant: String,
    /// Whose.
    pub whose: Whose,
    /// Of one of these kinds; of all if none.
    #[serde(default)]
    pub work: Vec<Work>,
    /// How many at most: 50 if 0, never more than 1,000.
    #[serde(default)]
    pub limit: u32,
}

/// In whose name someone may act, and what that opens to them.
struct Reach<'o> {
    organisation: &'o Organisation,
    /// The absent person; none for oneself.
    absent: Option<&'o str>,
    person: &'o str,
    roles: Vec<&'o str>,
    services: Vec<&'o str>,
    /// Whether only these roles were lent, and with them the steps that they decide.
    limited: bool,
}

fn reaches<'o>(organisation: &'o Organisation, person: &'o str, day: NaiveDate) -> Vec<Reach<'o>> {
    let own = organisation.person(person);
    let words = |list: Option<&'o Vec<String>>| list.into_iter().flatten().map(String::as_str).collect();
    let mut reaches = vec![Reach {
        organisation,
        absent: None,
        person,
        roles: words(own.map(|own| &own.roles)),
        services: words(own.map(|own| &own.services)),
        limited: false,
    }];
    let standins = organisation.standins.iter();
    for standin in
        standins.filter(|s| s.by == person && s.absent != person && s.from <= day && day <= s.until)
    {
        let absent = organisation.person(&standin.absent);
        let lent = |role: &&String| standin.roles.is_empty() || standin.roles.contains(role);
        let limited = !standin.roles.is_empty();
        reaches.push(Reach {
            organisation,
            absent: Some(&standin.absent),
            person: &standin.absent,
            roles: absent.into_iter().flat_map(|a| &a.roles).filter(lent).map(String::as_str).collect(),
            services: if limited { Vec::new() } else { words(absent.map(|a| &a.services)) },
            limited,
        });
    }
    reaches
}

impl Reach<'_> {
    fn covers(&self, item: &InboxItem, roles: &str) -> bool {
        match &item.party {
            // Of the holders of a role, those of the service in charge, where there are any.
            Party::Role(role) => {
                let concerned =
                    self.organisation.concerned(&item.party, &item.tenant, item.service.as_deref());
                self.roles.contains(&role.as_str()) && concerned.iter().any(|one| one.person == self.person)
            }
            Party::Person(person) => {
                person == self.person
                    && (!self.limited || roles.split(' ').any(|role| self.roles.contains(&role)))
            }
            Party::Service(service) => {
                let free = item.agent.as_deref().is_none_or(|agent| agent == self.person);
                (self.services.contains(&service.as_str()) && free)
                    || (!self.limited && item.agent.as_deref() == Some(self.person))
            }
            Party::ServiceInCharge => false,
        }
    }

    fn condition(&self) -> (String, Vec<Value>) {
        let marks = |count: usize| vec!["?"; count].join(",");
        let mut alternatives = vec!["(party_kind = 'person' AND party = ?)".to_owned()];
        let mut values = vec![self.person.into()];
        if !self.limited {
            alternatives.push("(party_kind = 'service' AND agent = ?)".to_owned());
            values.push(self.person.into());
        }
        for (kind, words) in [("role", &self.roles), ("service", &self.services)] {
            if !words.is_empty() {
                alternatives.push(format!("(party_kind = '{kind}' AND party IN ({}))", marks(words.len())));
                values.extend(words.iter().map(|word| Value::from(*word)));
            }
        }
        (alternatives.join(" OR "), values)
    }
}

fn read(row: &Row) -> Result<(InboxItem, String), ProjectionError> {
    let mut at = Columns::new(row);
    let (_, _): (i64, i64) = (at.take()?, at.take()?);
    let request = RequestId(at.uuid()?);
    let (tenant, process, theme, channel) = (at.take()?, at.take()?, at.take()?, at.code()?);
    let (work, item) = (at.code()?, at.take()?);
    let (kind, party): (String, String) = (at.take()?, at.take()?);
    let roles = at.take()?;
    let party = match kind.as_str() {
        "role" => Party::Role(party),
        "person" => Party::Person(party),
        _ => Party::Service(party),
    };
    let item = InboxItem {
        request,
        tenant,
        process,
        theme,
        channel,
        work,
        item,
        party,
        service: at.take()?,
        agent: at.take()?,
        on_behalf_of: None,
        priority: priority_of(at.take()?),
        received: at.instant()?,
        due: at.opt_instant()?,
        late: at.flag()?,
        revision: at.number()?,
    };
    Ok((item, roles))
}

impl ReadModels {
    /// What is to be done, most urgent first, then by due instant. The count is of things to do, all of them on open
    /// requests.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn inbox(&self, query: &InboxQuery) -> Result<Answer<Vec<InboxItem>>, ProjectionError> {
        let organisation = self.organisation(&query.tenant).unwrap_or_default();
        let mut filter = Where::default();
        filter.with("tenant = ?", &query.tenant);
        filter.among("work", query.work.iter().map(code));
        let mut reaches_of = Vec::new();
        match &query.whose {
            Whose::Person { person, day } => {
                reaches_of = reaches(&organisation, person, *day);
                let (conditions, values): (Vec<String>, Vec<Vec<Value>>) =
                    reaches_of.iter().map(Reach::condition).unzip();
                filter.raw(format!("({})", conditions.join(" OR ")), values.into_iter().flatten());
            }
            Whose::Role(role) => filter.raw("party_kind = 'role' AND party = ?", [role.into()]),
            Whose::Service(service) => filter.raw(
                "(service = ? OR (party_kind = 'service' AND party = ?))",
                [service.into(), service.into()],
            ),
            Whose::Everyone => {}
        }
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let limit = rows_of(query.limit);
        // A person's rows are chosen further below, so all of them are read; nobody has more than they can do.
        let bound = if reaches_of.is_empty() { format!("LIMIT {limit}") } else { String::new() };
        let sql = format!(
            "SELECT {} FROM inbox {} ORDER BY priority DESC, due IS NULL, due, rid, place {bound}",
            TABLE.column_list(),
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let read = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if reaches_of.is_empty() {
            let count = format!("SELECT COUNT(*), COUNT(*) FROM inbox {}", filter.sql());
            let counts = snapshot.counts(count, &filter.values).await?;
            return Ok(snapshot.answer(counts, read.into_iter().map(|(item, _)| item).collect()));
        }
        let mut items = Vec::new();
        for (item, roles) in read {
            if let Some(reach) = reaches_of.iter().find(|reach| reach.covers(&item, &roles)) {
                items.push(InboxItem { on_behalf_of: reach.absent.map(str::to_owned), ..item });
            }
        }
        let n = items.len() as u64;
        items.truncate(limit as usize);
        Ok(snapshot.answer((n, n), items))
    }
}
