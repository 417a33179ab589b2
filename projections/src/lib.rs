#![doc = include_str!("../README.md")]

mod accesses;
mod alerts;
mod answer;
mod catalogue;
mod challenges;
mod commitments;
mod common;
mod definitions;
mod deliveries;
mod error;
mod handed;
mod ideas;
mod inbox;
mod models;
mod outbox;
mod payments;
mod read_models;
mod request_card;
mod runner;
mod sessions;
mod sets;
mod statistics;
mod stops;
mod store;
mod subscriptions;
mod timeline;
mod timers;
mod webhooks;

#[cfg(test)]
mod tests;

pub use accesses::{AccessEntry, AccessFound, AccessQuery};
pub use alerts::{AlertLine, Reach};
pub use answer::{Answer, PAGE_ROWS, PAGE_ROWS_MAX, Page};
pub use catalogue::{CatalogueEntry, CatalogueOrder, CatalogueQuery, ThemeEntry};
pub use challenges::{CHALLENGE_TRIES_MAX, CHALLENGES_MAX, Challenge};
pub use commitments::{Cohort, Commitment, KeptBy, KeptLine, KeptQuery};
pub use common::{Common, CommonKeys};
pub use deliveries::{DeadLetter, Deliveries, Endpoint, EndpointClaim, Parked, Settled};
pub use error::{Poison, ProjectionError};
pub use handed::HANDED_KEPT;
pub use ideas::{Idea, IdeaOrder, IdeaQuery};
pub use inbox::{InboxItem, InboxQuery, Whose, Work};
pub use outbox::{Claim, OutboxItem};
pub use payments::{PaymentFilter, PaymentRow, PaymentVisit};
pub use read_models::{Options, ReadModels};
pub use request_card::{AccountCards, Card, CardOrder, CardQuery};
pub use runner::{Rebuilt, RunState, Status};
pub use sessions::Session;
pub use sets::{ModelSet, SET_UNUSED_MIN};
pub use statistics::{Delay, Dimension, Figures, Period, StatisticsLine, StatisticsQuery};
pub use store::Place;
pub use subscriptions::{ConsentCount, Subscriber};
pub use timeline::{CHANGES_MAX, ChangeEntry, ChangeQuery, TimelineEntry, in_words};
pub use timers::DueTimer;
pub use webhooks::WebhookEntry;
