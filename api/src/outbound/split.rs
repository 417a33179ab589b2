//! E-mails one way, text messages another, social messages a third.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Means, OutMessage, Outbound, SendError};

/// Sends each message by the way for its means.
#[derive(Clone)]
pub struct SplitOutbound {
    /// The way for e-mails.
    pub email: Arc<dyn Outbound>,
    /// The way for text messages.
    pub sms: Arc<dyn Outbound>,
    /// The way for social messages; without it they are reported failed, so that the requester is reached another way.
    pub social: Option<Arc<dyn Outbound>>,
}

impl SplitOutbound {
    fn social(&self) -> Result<&dyn Outbound, SendError> {
        let way = self.social.as_deref();
        way.ok_or_else(|| SendError::Never("nothing is set up that takes social messages".into()))
    }
}

#[async_trait]
impl Outbound for SplitOutbound {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        match message.means {
            Means::Email => self.email.send(message).await,
            Means::Sms => self.sms.send(message).await,
            Means::Social => self.social()?.send(message).await,
        }
    }

    async fn hand_over(&self, message: &OutMessage) -> Result<Option<String>, SendError> {
        match message.means {
            Means::Email => self.email.hand_over(message).await,
            Means::Sms => self.sms.hand_over(message).await,
            Means::Social => self.social()?.hand_over(message).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryOutbound, mail::tests::sample};
    use super::*;

    #[tokio::test]
    async fn each_goes_its_own_way() {
        let (email, sms) = (MemoryOutbound::default(), MemoryOutbound::default());
        let split =
            SplitOutbound { email: Arc::new(email.clone()), sms: Arc::new(sms.clone()), social: None };
        split.send(&sample()).await.unwrap();
        split.send(&OutMessage { means: Means::Sms, ..sample() }).await.unwrap();
        assert_eq!((email.sent().len(), sms.sent().len()), (1, 1));
        assert_eq!(sms.sent()[0].means, Means::Sms);
        let post = OutMessage { means: Means::Social, ..sample() };
        assert!(matches!(split.send(&post).await, Err(SendError::Never(_))));
        let social = MemoryOutbound::default();
        SplitOutbound { social: Some(Arc::new(social.clone())), ..split }.send(&post).await.unwrap();
        assert_eq!((social.sent().len(), sms.sent().len()), (1, 1));
    }
}
