//! Who calls, and whether they may.

use guichet_engine::rules::request::CommandId;

use super::super::App;
use super::super::problem::Problem;
use super::{Wishes, request_id};
use crate::rights::{Claim, Denial, KeyScopes, Principal, Scope, Verdict, allows};

/// Somebody who was recognised, and what the key by which they were lets through.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Who.
    pub(crate) principal: Principal,
    scopes: KeyScopes,
    /// Processes and themes that the key is limited to; all of them if empty.
    processes: Vec<String>,
}

impl Caller {
    /// Whether the key reaches requests of this process.
    pub(crate) fn reaches(&self, process: &str) -> bool {
        let theme = process.split('/').next().unwrap_or_default();
        self.processes.is_empty() || self.processes.iter().any(|limit| limit == process || limit == theme)
    }

    /// Whether they may give these rights to a program: those of the staff may, a program only what it has itself.
    pub(crate) fn may_give(&self, scopes: &[Scope]) -> bool {
        match (&self.principal, &self.scopes) {
            (Principal::Agent(_), _) => true,
            (Principal::Integrator(_), KeyScopes::Only(own)) => scopes.iter().all(|one| own.contains(one)),
            (Principal::Integrator(_), KeyScopes::All) | (Principal::Citizen(_), _) => false,
        }
    }

    /// Whether the key is limited to some processes.
    pub(crate) fn is_limited(&self) -> bool {
        !self.processes.is_empty()
    }
}

impl Wishes {
    /// The same with a key that was sent in another place than the header, as some protocols do.
    pub(crate) fn with_key(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            self.key = Some(key.to_owned());
        }
        self
    }

    /// Whether the client shows a key, good or bad.
    pub(crate) fn shows_key(&self) -> bool {
        self.key.is_some()
    }

    /// Who calls; nobody if the client shows nothing.
    pub(crate) async fn caller(&self, app: &App, tenant: &str) -> Result<Option<Principal>, Problem> {
        Ok(self.recognised(app, tenant).await?.map(|caller| caller.principal))
    }

    /// Who calls, with what the key lets through.
    async fn recognised(&self, app: &App, tenant: &str) -> Result<Option<Caller>, Problem> {
        if let Some(known) = self.known.as_ref().filter(|known| known.tenant == tenant) {
            let (principal, processes) = (known.principal.clone(), Vec::new());
            return Ok(Some(Caller { principal, scopes: KeyScopes::All, processes }));
        }
        let now = app.guichet.now();
        if let Some(token) = self.session_token(app, tenant)? {
            let held = app.sign_in.holder(&app.guichet, tenant, &token, now).await?;
            return match held {
                Some((principal, _)) => {
                    self.still_there(app, tenant, &principal).await?;
                    Ok(Some(Caller { principal, scopes: KeyScopes::All, processes: Vec::new() }))
                }
                // A browser goes on sending the cookie of a session that is over: it is nobody then.
                None if self.key.is_none() => Ok(None),
                None => self.stranger(app, tenant),
            };
        }
        let Some(key) = &self.key else { return Ok(None) };
        let Some(entry) = app.access.holder(tenant, key, now).await? else {
            return self.stranger(app, tenant);
        };
        let principal = entry.principal();
        self.still_there(app, tenant, &principal).await?;
        Ok(Some(Caller { principal, scopes: entry.key_scopes(), processes: entry.processes }))
    }

    fn stranger<T>(&self, app: &App, tenant: &str) -> Result<T, Problem> {
        app.strangers.take(tenant, self.address, app.guichet.now()).map_err(Problem::too_many)?;
        Err(Problem::unauthorized())
    }

    /// Whoever left the town hall has a key, or a session, that opens nothing, even before it is taken back.
    async fn still_there(&self, app: &App, tenant: &str, principal: &Principal) -> Result<(), Problem> {
        let Principal::Agent(code) = principal else { return Ok(()) };
        let organisation = app.guichet.engine().organisation_now(tenant).await?.unwrap_or_default();
        let person = organisation.person(code).filter(|person| organisation.works_for(person, tenant));
        person.map(|_| ()).ok_or_else(Problem::unauthorized)
    }

    /// The token of the session that was shown, as a bearer's or as a cookie. A cookie is sent along whoever made the
    /// browser call, so for changing something the page must be this server's own.
    pub(crate) fn session_token(&self, app: &App, tenant: &str) -> Result<Option<String>, Problem> {
        match &self.key {
            Some(key) if key.starts_with(crate::sign_in::PREFIX) => Ok(Some(key.clone())),
            Some(_) => Ok(None),
            None => match self.session_cookie(app, tenant) {
                Some(_) if self.foreign => Err(Problem::cross_site()),
                token => Ok(token),
            },
        }
    }

    /// Whether a page of this server makes the call, for what changes something by a cookie.
    pub(crate) fn must_be_own_page(&self) -> Result<(), Problem> {
        if self.foreign { Err(Problem::cross_site()) } else { Ok(()) }
    }

    /// The session's token among the cookies.
    pub(crate) fn session_cookie(&self, app: &App, tenant: &str) -> Option<String> {
        self.cookies.as_deref().and_then(|header| app.sign_in.cookies().session(header, tenant))
    }

    /// What signs out at the identity provider, among the cookies.
    pub(crate) fn hint(&self, app: &App, tenant: &str) -> Option<String> {
        self.cookies.as_deref().and_then(|header| app.sign_in.cookies().hint(header, tenant))
    }

    /// What tells the browser that went to an identity provider, among the cookies.
    pub(crate) fn bound(&self, app: &App) -> Option<String> {
        self.cookies.as_deref().and_then(|header| app.sign_in.cookies().bound(header))
    }

    /// Who calls, if they may do this; there must be someone. A key that is limited to some processes is let through
    /// where the path names a request or a process that it reaches, and nowhere else.
    pub(crate) async fn needs(&self, app: &App, tenant: &str, scope: Scope) -> Result<Principal, Problem> {
        let caller = self.needs_caller(app, tenant, scope).await?;
        if caller.is_limited() {
            self.within_limits(app, tenant, &caller).await?;
        }
        Ok(caller.principal)
    }

    /// As [`Wishes::needs`], for routes that mind the limits of a key themselves, with [`Caller::reaches`].
    pub(crate) async fn needs_caller(
        &self,
        app: &App,
        tenant: &str,
        scope: Scope,
    ) -> Result<Caller, Problem> {
        let caller = self.recognised(app, tenant).await?.ok_or_else(Problem::unauthorized)?;
        let organisation = app.guichet.engine().organisation_now(tenant).await?.unwrap_or_default();
        let claim = Claim {
            principal: &caller.principal,
            scopes: &caller.scopes,
            tenant,
            day: app.guichet.now().date_naive(),
        };
        let rules = &app.guichet.options().settings.rights.staff;
        match allows(&claim, rules, &organisation, scope) {
            Verdict::Allowed(_) => Ok(caller),
            Verdict::Denied(Denial::Left) => Err(Problem::unauthorized()),
            Verdict::Denied(denial) => Err(Problem::right_missing(scope, &denial)),
        }
    }

    async fn within_limits(&self, app: &App, tenant: &str, caller: &Caller) -> Result<(), Problem> {
        if let Some(request) = &self.about.request {
            let known = app.guichet.request(tenant, request_id(request)?).await?;
            // As if it were not there: the key does not even learn that it is.
            return caller.reaches(&known.request.process).then_some(()).ok_or_else(Problem::not_found);
        }
        let process = self.about.process.as_deref();
        process.filter(|process| caller.reaches(process)).map(|_| ()).ok_or_else(Problem::beyond_key)
    }

    /// The id of the command: the client's, or a fresh one.
    pub(crate) fn command_id(&self, app: &App) -> Result<CommandId, Problem> {
        match self.idempotency.clone()? {
            Some(id) => Ok(id),
            None => Ok(app.guichet.fresh_command_id()?),
        }
    }

    /// The revision that the client expects. What it wrote amiss is told to those only who may call at all.
    pub(crate) fn expected(&self) -> Result<Option<u64>, Problem> {
        self.expected.clone()
    }
}
