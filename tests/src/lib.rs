//! What must always be true, tried from outside.
