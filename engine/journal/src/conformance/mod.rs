//! The suite that every store passes, ours and others': one case for each promise of the port.
//!
//! A store gives a [`Store`] that makes empty [`Place`]s; [`conformance_tests!`](crate::conformance_tests) turns each case into a test of its own.

mod appending;
mod following;
mod racing;
mod repeating;
mod sealing;
mod servers;
mod tools;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::JournalError;
use crate::port::Journal;

/// Makes places for journals.
#[async_trait]
pub trait Store: Send + Sync {
    /// An empty place that shares nothing with any other.
    async fn place(&self) -> Result<Box<dyn Place>, JournalError>;
}

/// Where one journal lives.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the journal of this place. The one opened before is closed.
    async fn open(&self) -> Result<Arc<dyn Journal>, JournalError>;

    /// Opens the journal of this place once more, beside those that are open already, as another server would. None where a place belongs to
    /// one program at a time.
    async fn open_beside(&self) -> Option<Result<Arc<dyn Journal>, JournalError>> {
        None
    }

    /// Whether what was appended is still there when the journal is opened again.
    fn outlives(&self) -> bool;
}

/// What a store did not do as promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self(format!("an error nobody expected: {error}"))
    }
}

impl From<crate::id::BadName> for Failure {
    fn from(error: crate::id::BadName) -> Self {
        Self(error.to_string())
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self(format!("a task ended in the middle: {error}"))
    }
}

impl From<tokio::time::error::Elapsed> for Failure {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self("an answer that was due did not come".to_owned())
    }
}

/// How a case ends.
pub type Outcome = Result<(), Failure>;

/// One promise, checked on one store.
pub type Case = for<'a> fn(&'a dyn Store) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

macro_rules! cases {
    ($($(#[$doc:meta])* $room:ident :: $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// What the store did instead.
            pub async fn $name(store: &dyn Store) -> Outcome {
                $room::$name(store).await
            }
        )*

        /// Every case, by name.
        pub const CASES: &[(&str, Case)] = &[$((stringify!($name), |store| Box::pin($name(store)))),*];

        /// One test for each case, for a store that the expression makes; skipped where what the store needs is not present.
        #[macro_export]
        macro_rules! conformance_tests {
            ($store:expr) => {
                $crate::conformance_tests!($store, if true);
            };
            ($store:expr, if $present:expr) => {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        if !$present {
                            return;
                        }
                        let store = $store;
                        let outcome = $crate::conformance::$name(&store).await;
                        assert!(outcome.is_ok(), "{}", outcome.err().map(|failure| failure.0).unwrap_or_default());
                    }
                )*
            };
        }
    };
}

cases! {
    /// What was appended is read back to the byte, by stream and by position, and its header says what the append said.
    appending::what_is_appended_is_read_back,
    /// Each expectation holds and fails as it should; a conflict says which revision stands and changes nothing.
    appending::expectations_hold_or_change_nothing,
    /// Revisions are 0, 1, 2, … and positions grow, over many streams and appends of many events.
    appending::revisions_have_no_hole_and_positions_grow,
    /// Each limit lets its last value pass and refuses the next, and nonsense is refused; none of it changes anything.
    appending::limits_hold,
    /// A stream closed for ever takes nothing more, and can still be read.
    appending::a_closed_stream_takes_nothing_more,
    /// Reads begin where they are told, end where they are told, and find nothing in a stream that does not exist.
    appending::reads_keep_their_bounds,
    /// A journal opened again holds all it held, and goes on where it stopped.
    appending::what_was_acknowledged_outlives_a_restart,
    /// A closed journal finishes what is under way and refuses the rest.
    appending::a_closed_journal_refuses,
    /// Every header carries the digest of the one before it, and verification finds nothing wrong.
    appending::headers_form_a_chain,
    /// The same command again answers the first receipt, whatever was expected and appended since.
    repeating::a_retry_answers_the_first_receipt,
    /// A retry is recognised after a restart.
    repeating::a_retry_is_recognised_after_a_restart,
    /// The same command with another content is refused.
    repeating::a_command_id_used_twice_is_refused,
    /// A command sent many times at once is carried out once.
    repeating::a_command_sent_many_times_at_once_is_carried_out_once,
    /// The same command id on two streams is two commands.
    repeating::streams_know_only_their_own_commands,
    /// Of many that expect the same revision at the same moment, one wins and the others learn what stands.
    racing::one_of_many_wins,
    /// Conflicts do not spoil the appends that they share a moment with.
    racing::conflicts_spoil_nothing_else,
    /// A reader that follows 64 writers sees every event once, in order.
    racing::a_follower_of_many_writers_misses_nothing,
    /// An append whose caller goes away is carried out whole or not at all.
    racing::an_abandoned_append_is_whole_or_absent,
    /// A follower tells what is there, says that it has caught up, and wakes for what comes.
    following::a_follower_catches_up_and_wakes,
    /// A follower begins behind the position it is given, and filters by tenant, kind and type.
    following::filters_and_positions_are_kept,
    /// Events of rare kinds of streams are found among many others, all of them and in order.
    following::rare_kinds_are_found_among_many_events,
    /// A follower reads to the end of a closed journal and then ends.
    following::a_follower_ends_with_the_journal,
    /// Pages of any size, put together, are the whole journal.
    following::pages_of_any_size_make_the_whole,
    /// Nothing stored shows a person's data, and opening gives the body back to the byte.
    sealing::personal_parts_are_sealed_and_open_again,
    /// Destroying a person's key erases their parts and nobody else's, and breaks no proof.
    sealing::a_destroyed_key_erases,
    /// A revoked key hides, a restored one shows again.
    sealing::a_revoked_key_hides_until_restored,
    /// One key for each person in each stream, also after a restart.
    sealing::each_person_has_one_key_in_each_stream,
    /// Followers on three servers see everything that 64 writers write to all three, once, in order. Where a store allows one server only,
    /// there is nothing to see, here and below.
    servers::followers_on_several_servers_miss_nothing,
    /// A command sent again to another server answers the first receipt, also when both servers have it at the same moment.
    servers::a_retry_on_another_server_answers_the_first_receipt,
    /// What a server remembers of a stream hides nothing that another server wrote since.
    servers::what_another_server_wrote_is_known,
    /// Of many that expect the same revision at the same moment on several servers, one wins.
    servers::one_of_many_wins_on_several_servers,
    /// A follower that waits on one server wakes for what is appended on another.
    servers::a_follower_wakes_for_another_server,
}
