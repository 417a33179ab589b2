//! The read models there are. Adding one is a file and a line here.

use crate::outbox::Pending;
use crate::runner::Fold;
use crate::store::Table;

/// A read model.
#[derive(Debug)]
pub(crate) struct ReadModel {
    /// Its name, by which it is rebuilt.
    pub(crate) name: &'static str,
    /// The version of its tables and of its fold; another one than stands in the database is made anew at the start.
    pub(crate) version: i64,
    /// Its tables.
    pub(crate) tables: &'static [&'static Table],
    /// Its folding side, at the start of a run.
    pub(crate) fold: fn(&Begin) -> Box<dyn Fold>,
}

/// What the folding sides need of their tables to go on from where they stand.
#[derive(Debug, Default)]
pub(crate) struct Begin {
    /// Effects that are not done.
    pub(crate) pending: Pending,
}

/// All of them. Those that others look up come first.
pub(crate) static ALL: [&ReadModel; 16] = [
    &crate::definitions::MODEL,
    &crate::request_card::MODEL,
    &crate::inbox::MODEL,
    &crate::commitments::MODEL,
    &crate::statistics::MODEL,
    &crate::timeline::MODEL,
    &crate::catalogue::MODEL,
    &crate::outbox::MODEL,
    &crate::timers::MODEL,
    &crate::webhooks::MODEL,
    &crate::payments::MODEL,
    &crate::forwards::MODEL,
    &crate::subscriptions::MODEL,
    &crate::alerts::MODEL,
    &crate::ideas::MODEL,
    &crate::accesses::MODEL,
];
