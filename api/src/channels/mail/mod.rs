//! E-mails. [`read()`] makes a [`Mail`] of bytes, whatever they are; [`what_to_do`] says what becomes of it.

mod automatic;
mod decide;
mod html;
mod quoted;
mod read;
mod report;

pub use automatic::Automatic;
pub use decide::{CODES_MAX, Deed, Ignored, Known, Proof, codes, what_to_do};
pub use quoted::{Split, split};
pub use read::{Attachment, Mail, Sender, Unreadable, read};
pub use report::Report;

/// The largest mail, in bytes: what most mail servers let through, with its attachments in base64.
pub const MAIL_BYTES_MAX: usize = 25 * 1024 * 1024;
/// The most parts of a mail, those of mails within it included. More are made to exhaust whoever reads them.
pub const PARTS_MAX: usize = 500;
/// The most attachments taken from a mail; those after them are named as left out.
pub const ATTACHMENTS_MAX: usize = 20;
/// The longest text taken from a mail, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 100_000;
/// The longest subject, in characters.
pub const SUBJECT_CHARACTERS_MAX: usize = 250;
/// The most message ids looked at among those that a mail answers.
pub const REFERENCES_MAX: usize = 50;
/// The most servers that a mail may have passed before it counts as going round in circles (RFC 5321, 6.3, asks for at
/// least a hundred to be let through by servers; none sends mail to a town hall through half of that).
pub const HOPS_MAX: usize = 50;
/// Pictures within the text that are smaller than this, in bytes, are ornaments of a signature.
pub const ORNAMENT_BYTES: usize = 4 * 1024;

#[cfg(test)]
mod tests;
