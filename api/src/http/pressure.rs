//! What happens when commands come faster than the store takes them: they wait, not many and not long, and are then
//! asked to come back. Reading has places of its own and goes on.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::problem::Problem;

/// Commands under way at once.
pub const COMMANDS_MAX: usize = 128;
/// Commands that wait for a place; more are asked to come back at once.
pub const COMMANDS_WAITING_MAX: usize = 256;
/// How long a command waits for a place.
pub const COMMAND_WAIT_MAX: Duration = Duration::from_secs(5);

/// The places of commands.
#[derive(Debug)]
pub(crate) struct Pressure {
    places: Semaphore,
    waiting: Semaphore,
    patience: Duration,
}

impl Default for Pressure {
    fn default() -> Self {
        Self::of(COMMANDS_MAX, COMMANDS_WAITING_MAX, COMMAND_WAIT_MAX)
    }
}

impl Pressure {
    pub(crate) fn of(places: usize, waiting: usize, patience: Duration) -> Self {
        Self { places: Semaphore::new(places), waiting: Semaphore::new(waiting), patience }
    }

    /// A place, held until it is dropped.
    ///
    /// # Errors
    /// [`Problem::busy`] when too many wait already, or this one has waited long enough.
    pub(crate) async fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Problem::busy())?;
        match tokio::time::timeout(self.patience, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Problem::busy()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn few_wait_and_not_for_long() {
        let pressure = Pressure::of(1, 1, Duration::from_millis(50));
        let first = pressure.place().await.unwrap();
        let (second, third) = tokio::join!(pressure.place(), async {
            tokio::task::yield_now().await;
            pressure.place().await
        });
        assert_eq!(second.map(drop).unwrap_err().code, "server.busy", "it waited in vain");
        assert_eq!(third.map(drop).unwrap_err().code, "server.busy", "there was no room to wait");
        let waiting = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        let (placed, ()) = tokio::join!(pressure.place(), waiting);
        drop(placed.unwrap());
    }
}
