//! Messages of social networks: the first of a thread is a request, those after it are words on it.

use guichet_engine::rules::process::{Channel, Delivery};
use guichet_engine::rules::request::{Contact, SocialAddress, email_address};
use guichet_engine::rules::text::Language;

use super::take::{Became, Message, TakeError};
use crate::guichet::Guichet;
use crate::settings::channels::SocialGateway;

/// The longest message, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 10_000;

/// A message of a social network.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) platform: String,
    pub(crate) thread: String,
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) id: String,
    /// Addresses of pictures. They are written down, and never fetched: a stranger chose them.
    pub(crate) media: Vec<String>,
    /// An e-mail address of the author, where the network gives one.
    pub(crate) email: Option<String>,
}

/// Takes a message in.
pub(crate) async fn take(
    guichet: &Guichet,
    gateway: &SocialGateway,
    post: &Post,
) -> Result<Became, TakeError> {
    let mut text: String = post.text.trim().chars().take(TEXT_CHARACTERS_MAX).collect();
    for address in post.media.iter().filter(|address| address.starts_with("https://")).take(10) {
        text.push_str(&format!("\n{}", address.chars().take(500).collect::<String>()));
    }
    if text.trim().is_empty() {
        return Ok(Became::Ignored("empty"));
    }
    let name: String = format!("{} ({})", post.author, post.platform).chars().take(200).collect();
    let message = Message {
        guichet,
        tenant: &gateway.tenant,
        channel: Channel::Social,
        id: format!("{}\n{}\n{}", post.platform, post.thread, post.id),
        sender: format!("{}\n{}", post.platform, post.author),
        contact: Contact {
            name: Some(name),
            email: post.email.as_deref().and_then(email_address),
            social: Some(Box::new(SocialAddress {
                platform: post.platform.clone(),
                thread: post.thread.clone(),
                author: post.author.clone(),
            })),
            ..Contact::default()
        },
        preferred: Some(Delivery::Social),
        language: Language::Fr,
        subject: "",
        text: text.trim(),
        files: &[],
        left_out: 0,
    };
    message.in_thread(&format!("{}\n{}", post.platform, post.thread), &gateway.becomes).await
}
