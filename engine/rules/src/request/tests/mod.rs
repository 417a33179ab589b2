//! Given, when, then: everything goes through one door, [`Story`].

mod course;
mod town;

pub(super) use town::*;
