//! Requests from another system: each row of a table becomes a request with its own history.
//!
//! An import can be stopped and started again, or run twice, and makes nothing twice: the id of each command follows
//! from the name of the map and the id of the row. Every row is accounted for: it is imported, it stands already, or
//! it is kept aside with its line and the reason.

mod areas;
mod aside;
mod beside;
mod conditions;
mod map;
mod read_map;
mod row;
mod run;

pub use areas::Areas;
pub use beside::beside;
pub use conditions::{Condition, Test};
pub use map::{Blank, ImportMap, Lookup, ProcessRule, Received, Value};
pub use read_map::read_map;
pub use run::{Import, ImportError, Locate, Summary};
