//! Many events in one row of an answer: each row costs more than reading the event.

use crate::event::Recorded;
use crate::id::Position;

/// Stands between the texts of a chunk. No valid JSON holds this character unescaped.
pub(crate) const SEPARATOR: char = '\u{1e}';

/// Takes a chunk apart; none when it does not come apart as it was put together, which only damage explains.
pub(crate) fn split(positions: &str, headers: &str, bodies: &str) -> Option<Vec<Recorded>> {
    let (mut headers, mut bodies) = (headers.split(SEPARATOR), bodies.split(SEPARATOR));
    let (mut events, mut last) = (Vec::new(), 0);
    for position in positions.split(SEPARATOR) {
        let token: u64 = position.parse().ok().filter(|token| *token > last)?;
        last = token;
        events.push(Recorded::new(
            Position::from_token(token),
            headers.next()?.into(),
            bodies.next()?.into(),
        ));
    }
    (headers.next().is_none() && bodies.next().is_none()).then_some(events)
}
