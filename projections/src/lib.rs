//! Read models: they follow the journal and never write it.
