//! What there is to be allowed.

use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($( $(#[$doc:meta])* $name:ident = $wire:literal, )*) => {
        /// What a route lets its caller do. Each route that is not for everybody names one, and the OpenAPI document
        /// shows it, so that a test can try every route as everybody.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Scope { $( $(#[$doc])* #[serde(rename = $wire)] $name, )* }

        impl Scope {
            /// All of them.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// Its name, as on keys and in the OpenAPI document.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Self::$name => $wire, )* }
            }
        }
    };
}

scopes! {
    /// Receive requests through any channel, in somebody's name.
    RequestsReceive = "requests:receive",
    /// See cards, histories without anything personal, explanations, pictures, and the stream of changes.
    RequestsRead = "requests:read",
    /// Give commands to requests.
    RequestsAct = "requests:act",
    /// Read what was said in a request, opened.
    DossiersRead = "dossiers:read",
    /// Erase the persons of a finished request, and its files, for ever.
    RequestsErase = "requests:erase",
    /// See who opened what was said in a request.
    AccessesRead = "accesses:read",
    /// See who has what to do.
    InboxRead = "inbox:read",
    /// See figures.
    FiguresRead = "figures:read",
    /// See versions of processes and their pictures.
    DefinitionsRead = "definitions:read",
    /// Propose versions of processes.
    DefinitionsPropose = "definitions:propose",
    /// Store files before a request names them.
    FilesWrite = "files:write",
    /// Fetch files of requests.
    FilesRead = "files:read",
    /// What a citizen with an account does with it: history, subscriptions, consents, votes.
    Account = "account",
    /// Send an alert to all whom it concerns.
    AlertsSend = "alerts:send",
    /// Ask for payments and look at what became of them.
    PaymentsManage = "payments:manage",
    /// Say where changes are sent, look at what did not arrive, send it again.
    WebhooksManage = "webhooks:manage",
    /// Look at messages that did not go out and at letters to print, and send them again.
    OutboxManage = "outbox:manage",
    /// Hand over messages that arrived: a gateway's text messages, social messages, mails.
    ChannelsDeliver = "channels:deliver",
    /// Make, limit and take back keys.
    KeysManage = "keys:manage",
}

impl std::fmt::Display for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|scope| scope.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|scope| scope.name()).collect();
            format!("no such right; there are {}", known.join(", "))
        })
    }
}
