//! A process as a person draws it: who does what, in which stage, after what, by when. One model and one layout, from
//! which every picture is written, so that all of them show the same.
//!
//! `chart` is what there is to draw, `flow` and `clocks` make it from a definition, `progress` marks a request on it,
//! `layout` gives every part its place; `svg`, `mermaid` and `bpmn` write. All of it is pure.

mod bpmn;
mod bpmn_layout;
mod chart;
mod circuit;
mod clocks;
mod conditions;
mod flow;
mod layout;
mod measure;
mod mermaid;
mod names;
mod payment;
mod place;
mod progress;
mod route;
mod svg;
mod svg_parts;
mod treatment;
mod xml;

pub use bpmn::bpmn;
pub use chart::Chart;
pub use flow::chart;
pub use mermaid::mermaid;
pub use names::Names;
pub use progress::mark;
pub use svg::svg;

#[cfg(test)]
mod tests;
