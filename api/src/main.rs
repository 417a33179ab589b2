//! The binary `guichet`.

fn main() {}
