//! The decision itself: pure, with its reasons, and a refusal where nothing allows.

use chrono::NaiveDate;
use guichet_engine::rules::organisation::{Organisation, Person};
use guichet_engine::rules::process::Party;
use guichet_engine::rules::text::Text;

use super::{Principal, RoleRules, Scope};

/// What the key or session, by which someone is known, lets through at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyScopes {
    /// Whatever its holder may do.
    All,
    /// These alone, and of these only what its holder may do.
    Only(Vec<Scope>),
}

impl KeyScopes {
    fn hold(&self, scope: Scope) -> bool {
        match self {
            Self::All => true,
            Self::Only(scopes) => scopes.contains(&scope),
        }
    }
}

/// Who asks, as what, where and when.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// What the key or session lets through.
    pub scopes: &'a KeyScopes,
    /// The collectivity.
    pub tenant: &'a str,
    /// The day there, for stand-ins.
    pub day: NaiveDate,
}

/// Whether a right is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Allowed(Ground),
    /// It is not.
    Denied(Denial),
}

/// Why a right is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// Every member of staff has it.
    Staff,
    /// Their role, service or person has it.
    Named(Party),
    /// They stand in for this person, who has it, on that day.
    StandIn(String),
    /// It stands on the program's key.
    Key,
    /// Every citizen with an account has it.
    Account,
}

/// Why a right is not had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// They do not work for the collectivity, or not any more: to be answered as if the key were none.
    Left,
    /// The key does not hold it.
    NotOnKey,
    /// Only these have it.
    Reserved(Vec<Party>),
    /// Nobody of this kind ever has it.
    NotForThem,
}

impl Denial {
    /// A sentence for whoever was refused.
    #[must_use]
    pub fn words(&self, scope: Scope) -> Text {
        match self {
            Self::Left | Self::NotOnKey => Text::new(
                format!("Cette clé ne donne pas le droit « {scope} »."),
                format!("This key does not give the right “{scope}”."),
            ),
            Self::Reserved(_) => Text::new(
                format!("Le droit « {scope} » est réservé à certaines fonctions de la collectivité."),
                format!("The right “{scope}” is kept for some roles of the collectivity."),
            ),
            Self::NotForThem => Text::new(
                format!("Le droit « {scope} » n’est pas ouvert à ce type de compte."),
                format!("The right “{scope}” is not open to this kind of account."),
            ),
        }
    }
}

/// Whether somebody may do something. Where nothing allows it, the answer is no.
#[must_use]
pub fn allows(claim: &Claim<'_>, rules: &RoleRules, organisation: &Organisation, scope: Scope) -> Verdict {
    let held = match claim.principal {
        Principal::Agent(code) => staff(claim, code, rules, organisation, scope),
        Principal::Integrator(_) if is_for_programs(scope) => Verdict::Allowed(Ground::Key),
        Principal::Citizen(_) if is_for_citizens(scope) => Verdict::Allowed(Ground::Account),
        Principal::Integrator(_) | Principal::Citizen(_) => Verdict::Denied(Denial::NotForThem),
    };
    match held {
        Verdict::Allowed(_) if !claim.scopes.hold(scope) => Verdict::Denied(Denial::NotOnKey),
        verdict => verdict,
    }
}

fn staff(
    claim: &Claim<'_>,
    code: &str,
    rules: &RoleRules,
    organisation: &Organisation,
    scope: Scope,
) -> Verdict {
    let person = organisation.person(code).filter(|person| organisation.works_for(person, claim.tenant));
    let Some(person) = person else { return Verdict::Denied(Denial::Left) };
    match rules.of(scope) {
        Some(parties) => named(person, claim.day, parties, organisation),
        None if is_for_all_staff(scope) => Verdict::Allowed(Ground::Staff),
        None => Verdict::Denied(Denial::NotForThem),
    }
}

/// Whether one of `parties` is this person, or somebody whom they stand in for that day.
fn named(person: &Person, day: NaiveDate, parties: &[Party], organisation: &Organisation) -> Verdict {
    if let Some(party) = parties.iter().find(|party| Organisation::is_named(person, party, None)) {
        return Verdict::Allowed(Ground::Named(party.clone()));
    }
    for party in parties {
        let role = if let Party::Role(role) = party { Some(role.as_str()) } else { None };
        let absent = organisation.represented_by(&person.person, role, day);
        let mut absent = absent.into_iter().filter_map(|code| organisation.person(code));
        if let Some(absent) = absent.find(|absent| Organisation::is_named(absent, party, None)) {
            return Verdict::Allowed(Ground::StandIn(absent.person.clone()));
        }
    }
    Verdict::Denied(Denial::Reserved(parties.to_vec()))
}

/// What every member of staff may do in their own collectivity; dossiers have a rule of their own beside.
fn is_for_all_staff(scope: Scope) -> bool {
    match scope {
        Scope::RequestsReceive
        | Scope::RequestsRead
        | Scope::RequestsAct
        | Scope::DossiersRead
        | Scope::InboxRead
        | Scope::FiguresRead
        | Scope::DefinitionsRead
        | Scope::DefinitionsPropose
        | Scope::FilesWrite
        | Scope::FilesRead => true,
        Scope::Account
        | Scope::AccessesRead
        | Scope::RequestsErase
        | Scope::AlertsSend
        | Scope::PaymentsManage
        | Scope::WebhooksManage
        | Scope::OutboxManage
        | Scope::ChannelsDeliver
        | Scope::KeysManage => false,
    }
}

/// What a program may be given: nothing that takes a person to answer for.
pub(crate) fn is_for_programs(scope: Scope) -> bool {
    !matches!(scope, Scope::Account | Scope::DefinitionsPropose | Scope::RequestsErase)
}

fn is_for_citizens(scope: Scope) -> bool {
    matches!(scope, Scope::Account | Scope::FilesWrite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation() -> Organisation {
        serde_json::from_value(serde_json::json!({
            "people": [
                { "person": "a01", "name": "A", "tenant": "ville", "roles": ["agent"] },
                { "person": "a82", "name": "B", "tenant": "ville", "roles": ["dga"] },
                { "person": "a83", "name": "C", "tenant": "ville", "roles": ["dgs"] },
                { "person": "c81", "name": "D", "tenant": "ccas", "roles": ["dgs"] },
            ],
            "standins": [{ "for": "a83", "by": "a01", "from": "2026-11-02", "until": "2026-11-06" }],
        }))
        .unwrap()
    }

    fn asked(principal: &Principal, scopes: &KeyScopes, day: &str, scope: Scope) -> Verdict {
        let claim = Claim { principal, scopes, tenant: "ville", day: day.parse().unwrap() };
        allows(&claim, &RoleRules::default(), &organisation(), scope)
    }

    #[test]
    fn staff_read_and_act_and_what_is_reserved_follows_roles_and_stand_ins() {
        let (agent, all) = (Principal::Agent("a01".into()), KeyScopes::All);
        assert_eq!(asked(&agent, &all, "2026-11-09", Scope::RequestsAct), Verdict::Allowed(Ground::Staff));
        let refused = asked(&agent, &all, "2026-11-09", Scope::KeysManage);
        assert!(matches!(refused, Verdict::Denied(Denial::Reserved(_))), "{refused:?}");
        let absent = Verdict::Allowed(Ground::StandIn("a83".into()));
        assert_eq!(asked(&agent, &all, "2026-11-06", Scope::KeysManage), absent);
        let head = Principal::Agent("a83".into());
        let by_role = Verdict::Allowed(Ground::Named(Party::Role("dgs".into())));
        assert_eq!(asked(&head, &all, "2026-11-09", Scope::KeysManage), by_role);
        let narrow = KeyScopes::Only(vec![Scope::RequestsRead]);
        assert_eq!(asked(&head, &narrow, "2026-11-09", Scope::KeysManage), Verdict::Denied(Denial::NotOnKey));
        let elsewhere = Principal::Agent("c81".into());
        assert_eq!(asked(&elsewhere, &all, "2026-11-09", Scope::RequestsRead), Verdict::Denied(Denial::Left));
    }

    #[test]
    fn programs_do_what_their_key_says_and_citizens_mind_their_own() {
        let program = Principal::Integrator("portail".into());
        let key = KeyScopes::Only(vec![Scope::RequestsRead, Scope::Account]);
        assert_eq!(asked(&program, &key, "2026-11-09", Scope::RequestsRead), Verdict::Allowed(Ground::Key));
        assert_eq!(asked(&program, &key, "2026-11-09", Scope::InboxRead), Verdict::Denied(Denial::NotOnKey));
        assert_eq!(asked(&program, &key, "2026-11-09", Scope::Account), Verdict::Denied(Denial::NotForThem));
        let citizen = Principal::Citizen(uuid::Uuid::nil());
        for scope in Scope::ALL {
            let verdict = asked(&citizen, &KeyScopes::All, "2026-11-09", *scope);
            let own = matches!(scope, Scope::Account | Scope::FilesWrite);
            assert_eq!(matches!(verdict, Verdict::Allowed(_)), own, "{scope}");
        }
    }
}
