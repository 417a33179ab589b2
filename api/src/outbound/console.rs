//! Shows messages on the terminal instead of sending them: for trying things out.

use async_trait::async_trait;

use super::{Means, OutMessage, Outbound, SendError};

/// Prints each message on standard output.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsoleOutbound;

#[async_trait]
impl Outbound for ConsoleOutbound {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        let means = match message.means {
            Means::Email => "e-mail",
            Means::Sms => "SMS",
            Means::Social => "social",
        };
        println!("── {means} → {}\n{}\n\n{}\n", message.to, message.subject, message.text);
        Ok(())
    }
}
