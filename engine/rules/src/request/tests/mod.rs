//! Given, when, then: everything goes through one door, [`Story`].

mod appointments;
mod bills;
mod carried;
mod circuit;
mod clocks;
mod contract;
mod course;
mod explained;
mod forms;
mod forwarding;
mod late;
mod legal;
mod migration;
mod payments;
mod people;
mod properties;
mod scenarios;
mod town;

pub(super) use town::*;
