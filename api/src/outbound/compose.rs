//! Turns an effect into a message.
