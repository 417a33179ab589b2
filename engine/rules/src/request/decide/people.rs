//! Who may do what: the requester, the staff that the sheet names, the service in charge, the engine.

use super::decision::Decision;
use crate::organisation::{Organisation, Person};
use crate::process::Party;
use crate::request::state::{Request, Stage};
use crate::request::{Actor, Rejection, refusal};
use crate::text::Text;

const STAFF: (&str, &str) = ("un agent de la collectivité", "a member of the collectivity’s staff");
const REQUESTER: (&str, &str) = ("l’auteur de la demande", "the requester");
const ENGINE: (&str, &str) = ("le moteur", "the engine");
const IN_CHARGE: (&str, &str) =
    ("un agent du service chargé de la demande", "someone of the service in charge");
const HANDLER: (&str, &str) = (
    "un agent du service chargé de la demande ou de l’accueil",
    "someone of the service in charge or of the front office",
);

const HEAD: (&str, &str) = (
    "le chef du service chargé de la demande, ou à l’exploitant",
    "the head of the service in charge, or the operator,",
);

fn needed((fr, en): (&str, &str)) -> Rejection {
    refusal::role_needed(fr, en)
}

impl<'a> Decision<'a> {
    /// The member of staff who acts. Someone of another collectivity learns nothing of the request.
    pub(super) fn staff(&self) -> Result<&'a Person, Rejection> {
        let Actor::Agent(code) = self.facts.actor else { return Err(needed(STAFF)) };
        let organisation = self.facts.organisation;
        match organisation.person(code).filter(|person| organisation.works_for(person, self.facts.tenant)) {
            Some(person) => Ok(person),
            None if self.known().is_some() => Err(refusal::request_unknown()),
            None => Err(needed(STAFF)),
        }
    }

    /// The requester, or a program on their behalf.
    pub(super) fn requester(&self) -> Result<(), Rejection> {
        match self.facts.actor {
            Actor::Requester | Actor::Integrator(_) => Ok(()),
            Actor::Agent(_) => self.staff().and(Err(needed(REQUESTER))),
            Actor::Engine | Actor::Operator(_) => Err(needed(REQUESTER)),
        }
    }

    /// The requester, a program on their behalf, or an agent who notes what they say.
    pub(super) fn requester_or_staff(&self) -> Result<(), Rejection> {
        match self.facts.actor {
            Actor::Agent(_) => self.staff().map(|_| ()),
            Actor::Requester | Actor::Integrator(_) | Actor::Engine | Actor::Operator(_) => self.requester(),
        }
    }

    /// The engine itself.
    pub(super) fn engine(&self) -> Result<(), Rejection> {
        if *self.facts.actor == Actor::Engine { Ok(()) } else { Err(needed(ENGINE)) }
    }

    /// The engine, or an agent who did by hand what it cannot do.
    pub(super) fn engine_or_staff(&self) -> Result<(), Rejection> {
        match self.facts.actor {
            Actor::Engine => Ok(()),
            Actor::Agent(_) | Actor::Requester | Actor::Integrator(_) | Actor::Operator(_) => {
                self.staff().map(|_| ())
            }
        }
    }

    /// Whether `person` is one of those whom the sheet names. Where nobody fits the name any more, any member of
    /// staff does: a request must not be stuck because the organisation changed.
    pub(super) fn is_one_of(&self, person: &Person, party: &Party) -> bool {
        let service = self.known().and_then(|request| request.service.as_deref());
        let (organisation, tenant) = (self.facts.organisation, self.facts.tenant);
        let named = Organisation::is_named(person, party, service) && organisation.works_for(person, tenant);
        named || organisation.all_of(party, tenant, service).is_empty()
    }

    /// Someone whom the sheet names.
    pub(super) fn one_of(&self, party: &Party) -> Result<&'a Person, Rejection> {
        let person = self.staff()?;
        if self.is_one_of(person, party) {
            return Ok(person);
        }
        let words = self.words(party);
        Err(refusal::role_needed(&words.fr, &words.en))
    }

    fn front_office(&self, person: &Person) -> bool {
        self.plan.definition().qualification.by.as_ref().is_some_and(|party| self.is_one_of(person, party))
    }

    fn of_service(&self, request: &Request, person: &Person) -> bool {
        request.agent.as_ref() == Some(&person.person) || self.is_one_of(person, &Party::ServiceInCharge)
    }

    /// Someone of the service in charge.
    pub(super) fn in_charge(&self) -> Result<&'a Person, Rejection> {
        let person = self.staff()?;
        if self.of_service(self.request()?, person) { Ok(person) } else { Err(needed(IN_CHARGE)) }
    }

    /// The engine, for whoever runs it, or the head of the service in charge; before there is one, the head of any
    /// service of the collectivity. Carrying requests over to another version is for those who answer for the sheet.
    pub(super) fn engine_or_head(&self) -> Result<(), Rejection> {
        if *self.facts.actor == Actor::Engine {
            return Ok(());
        }
        let person = self.staff()?;
        let services = &self.facts.organisation.services;
        let in_charge = self.known().and_then(|request| request.service.as_ref());
        let heads = services.iter().any(|service| {
            service.tenant == self.facts.tenant
                && service.head.as_ref() == Some(&person.person)
                && in_charge.is_none_or(|id| service.service == *id)
        });
        if heads { Ok(()) } else { Err(needed(HEAD)) }
    }

    /// Someone who handles the request at this point: the front office until a service is in charge; then either.
    pub(super) fn handler(&self) -> Result<&'a Person, Rejection> {
        let person = self.staff()?;
        let request = self.request()?;
        // What was passed on before a service had it, and comes back, is the front office's again.
        let never_assigned = matches!(request.stage, Stage::Forwarded { .. }) && request.service.is_none();
        let before = matches!(request.stage, Stage::Received | Stage::Qualified) || never_assigned;
        let nobody = before && self.plan.definition().qualification.by.is_none();
        if nobody || self.front_office(person) || (!before && self.of_service(request, person)) {
            Ok(person)
        } else {
            Err(needed(HANDLER))
        }
    }

    /// Someone who may answer at first contact: the front office, the service that would be in charge, or anyone of
    /// the staff where the sheet names nobody to qualify.
    pub(super) fn first_contact(&self, service: Option<&str>) -> Result<&'a Person, Rejection> {
        let person = self.staff()?;
        let by = &self.plan.definition().qualification.by;
        let of_service = service.is_some_and(|service| person.services.iter().any(|id| id == service));
        if by.is_none() || self.front_office(person) || of_service {
            Ok(person)
        } else {
            Err(needed(HANDLER))
        }
    }

    /// A party in words.
    fn words(&self, party: &Party) -> Text {
        let organisation = self.facts.organisation;
        match party {
            Party::Role(id) => {
                let role = organisation.roles.iter().find(|role| role.role == *id);
                role.map_or_else(|| Text::new(id, id), |role| role.title.clone())
            }
            Party::Person(code) => Text::new(code, code),
            Party::Service(id) => {
                organisation.service(id).map_or_else(|| Text::new(id, id), |service| service.title.clone())
            }
            Party::ServiceInCharge => Text::new(IN_CHARGE.0, IN_CHARGE.1),
        }
    }
}
