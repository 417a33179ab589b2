//! Chance that is the same for the same seed, on every machine: whole numbers only.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seeded source of draws.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from 0 to `n` - 1; 0 if `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(n);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// A number between the two, both included.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = u64::try_from(most.saturating_sub(least)).unwrap_or_default();
        least + i64::try_from(self.below(width + 1)).unwrap_or_default()
    }

    /// True `permille` times out of a thousand.
    pub(super) fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of the list; none if it is empty.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let place = self.below(list.len() as u64);
        list.get(usize::try_from(place).unwrap_or_default())
    }

    /// One of the list, each as often as its weight says.
    pub(super) fn weighted<'a, T>(&mut self, list: &'a [(T, u64)]) -> Option<&'a T> {
        let mut place = self.below(list.iter().map(|(_, weight)| weight).sum());
        for (item, weight) in list {
            if place < *weight {
                return Some(item);
            }
            place -= weight;
        }
        None
    }

    /// A value from a distribution given by its quantiles: pairs of permille and value, both growing, straight lines
    /// between them.
    pub(super) fn quantile(&mut self, table: &[(i64, i64)]) -> i64 {
        let place = self.between(0, 999);
        let mut last = table.first().copied().unwrap_or_default();
        for &(permille, value) in table {
            if place < permille {
                return last.1 + (value - last.1) * (place - last.0) / (permille - last.0).max(1);
            }
            last = (permille, value);
        }
        last.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| dice.between(-5, 5)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(3).iter().all(|value| (-5..=5).contains(value)));
    }

    #[test]
    fn weights_and_quantiles_are_kept() {
        let mut dice = Dice::new(7);
        let heads = (0..10_000).filter(|_| *dice.weighted(&[(true, 3), (false, 1)]).unwrap()).count();
        assert!((7_300..7_700).contains(&heads), "{heads}");
        let table = [(0, 10), (950, 100), (1000, 300)];
        let late = (0..10_000).filter(|_| dice.quantile(&table) > 100).count();
        assert!((400..600).contains(&late), "{late}");
        assert_eq!(dice.pick::<u8>(&[]), None);
    }
}
