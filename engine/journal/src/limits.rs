//! Every limit of the journal, stated once. All sizes are in bytes unless the name says otherwise.

/// Longest body of one event, as the caller gives it (before sealing). The longest are published processes, which hold all
/// their texts in two languages: a paid one of Châlons takes 70 KiB. Larger things are attachments, kept by digest elsewhere.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Most bytes one append may store: headers and sealed bodies together.
pub const APPEND_BYTES_MAX: usize = 900 * 1024;

/// Most events in one append.
pub const APPEND_EVENTS_MAX: usize = 256;

/// Longest stored header. The longest permitted names fit; a test holds the two together.
pub const HEADER_BYTES_MAX: usize = 1024;

/// Most persons whose data one body may hold, each under a key of their own.
pub const BODY_PERSONS_MAX: usize = 6;

/// Most sealed parts in one body.
pub const BODY_PARTS_MAX: usize = 256;

/// Deepest nesting of a body's JSON.
pub const BODY_DEPTH_MAX: usize = 100;

/// Most events one read answers; a larger wish is answered with this many.
pub const READ_EVENTS_MAX: usize = 8192;

/// Events a follower fetches at once.
pub const FOLLOW_PAGE_EVENTS: usize = 2048;

/// Appends that may wait for the writer; further callers wait before they queue.
pub const QUEUE_APPENDS_MAX: usize = 1024;

/// Most events that share one transaction and one fsync.
pub const GROUP_EVENTS_MAX: usize = 256;

/// Most bytes of headers and bodies that share one transaction.
pub const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Streams whose last revision and header hash the writer remembers.
pub const HEADS_CACHED_MAX: usize = 65_536;

/// Pairs of stream and person whose key id is remembered.
pub const KEY_IDS_CACHED_MAX: usize = 65_536;

/// Keys kept unwrapped in memory.
pub const KEYS_CACHED_MAX: usize = 16_384;

/// Keys made durable at once, ahead of need.
pub const KEY_POOL_BATCH: usize = 512;

/// The pool is refilled in the background as soon as it holds fewer keys than this.
pub const KEY_POOL_LOW: usize = 256;

/// Longest wait for a connection to a database to stand, in seconds.
pub const POSTGRES_CONNECT_SECONDS_MAX: u64 = 5;

/// Longest that one statement may take on a database, in seconds.
pub const POSTGRES_STATEMENT_SECONDS_MAX: u64 = 30;

/// How long appends wait for a lost database to come back before they are refused, in milliseconds. Once it is known to be away, they are refused at once.
pub const POSTGRES_RECONNECT_MILLISECONDS_MAX: u64 = 4_000;

/// How often a server asks a database what the others did, should their notifications be lost, in milliseconds.
pub const POSTGRES_POLL_MILLISECONDS: u64 = 500;

/// Appends that are under way to KurrentDB at the same time; further callers wait. Below the hundred calls that its server takes on one connection.
pub const CALLS_IN_FLIGHT_MAX: usize = 64;

/// Streams in KurrentDB whose head and commands are remembered.
pub const STREAMS_CACHED_MAX: usize = 16_384;
