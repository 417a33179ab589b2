//! Chance that is the same for the same seed, on every machine: whole numbers, sums and products, and logarithms that
//! are computed by the program and not by the system.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seeded source of draws.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The dice of one thing: the `number`-th of its `kind`. Each has draws of its own, so that what is drawn for one
    /// request does not change because another one took longer (common random numbers).
    pub(super) fn of(seed: u64, kind: u64, number: u64) -> Self {
        Self::new(mix(mix(mix(seed) ^ kind) ^ number))
    }

    /// A number from 0 to just below 1, in steps of 2^-53.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are what a number of this type holds")]
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A draw from the standard normal distribution (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let (one, two) = (1.0 - self.unit(), self.unit());
        libm::sqrt(-2.0 * libm::log(one)) * libm::cos(std::f64::consts::TAU * two)
    }

    /// A draw from the log-normal distribution with this mean, whose logarithm deviates by `spread`.
    pub(super) fn lognormal(&mut self, mean: f64, spread: f64) -> f64 {
        mean * libm::exp(spread * self.normal() - spread * spread / 2.0)
    }

    /// A draw from the exponential distribution with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// A draw from the Poisson distribution: the arrivals in a while of which `mean` are expected. Long whiles are
    /// drawn in pieces, so that no product of small numbers vanishes (Knuth 1969).
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let mut left = mean;
        let mut count = 0;
        while left > 0.0 {
            let limit = libm::exp(-left.min(20.0));
            left -= 20.0;
            let mut product = self.unit();
            while product > limit {
                count += 1;
                product *= self.unit();
            }
        }
        count
    }

    /// One of the list, by the sums of the weights so far: the last sum is the whole.
    pub(super) fn place(&mut self, sums: &[f64]) -> usize {
        let drawn = self.unit() * sums.last().copied().unwrap_or_default();
        sums.partition_point(|sum| *sum <= drawn).min(sums.len().saturating_sub(1))
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
}

/// Spreads a number over all bits (the finaliser of SplitMix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A whole number of seconds for so many of something with so many seconds each; nothing is negative or endless.
#[allow(clippy::cast_possible_truncation, reason = "held within a century before it is cut")]
pub(super) fn seconds(amount: f64, each: f64) -> i64 {
    libm::round((amount * each).clamp(0.0, 3.2e9)) as i64
}

/// The working time that so many seconds of work take someone who has a `share` of it for them.
#[allow(clippy::cast_precision_loss, reason = "a century of seconds is far below 2^53")]
pub(super) fn stretched(amount: i64, share: f64) -> i64 {
    seconds(amount as f64 / share, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean and the variance of many draws.
    fn moments(draws: impl Iterator<Item = f64>) -> (f64, f64) {
        let (count, sum, squares) =
            draws.fold((0.0, 0.0, 0.0), |(n, sum, squares), x| (n + 1.0, sum + x, squares + x * x));
        (sum / count, squares / count - (sum / count) * (sum / count))
    }

    #[test]
    fn the_distributions_have_their_moments() {
        let mut dice = Dice::of(1, 2, 3);
        let (mean, variance) = moments((0..40_000).map(|_| dice.exponential(3.0)));
        assert!((mean - 3.0).abs() < 0.1 && (variance - 9.0).abs() < 0.6, "{mean} {variance}");
        let (mean, variance) = moments((0..40_000).map(|_| f64::from(dice.poisson(47.5))));
        assert!((mean - 47.5).abs() < 0.3 && (variance - 47.5).abs() < 2.0, "{mean} {variance}");
        // The variance of a log-normal is mean² (e^{spread²} - 1).
        let (mean, variance) = moments((0..40_000).map(|_| dice.lognormal(10.0, 0.5)));
        assert!((mean - 10.0).abs() < 0.2 && (variance - 28.4).abs() < 2.5, "{mean} {variance}");
        let thirds = (0..30_000).filter(|_| dice.place(&[2.0, 2.0, 3.0]) == 2).count();
        assert!((9_600..10_400).contains(&thirds), "{thirds}");
    }

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
    fn weights_are_kept() {
        let mut dice = Dice::new(7);
        let heads = (0..10_000).filter(|_| *dice.weighted(&[(true, 3), (false, 1)]).unwrap()).count();
        assert!((7_300..7_700).contains(&heads), "{heads}");
        assert_eq!(dice.pick::<u8>(&[]), None);
    }
}
