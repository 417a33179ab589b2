//! Many lengths of time in little memory: counts by size, each class a twentieth wide at most.

/// Classes below this are single units.
const SINGLE: u64 = 32;
/// Classes between a power of two and the next.
const PARTS: u64 = 16;

/// A histogram of lengths of time in a unit of its user's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u32>,
    number: u64,
    sum: u64,
}

fn class_of(value: u64) -> u64 {
    if value < SINGLE {
        return value;
    }
    let power = u64::from(value.ilog2());
    let part = (value >> (power - 4)) - PARTS;
    SINGLE + (power - 5) * PARTS + part
}

fn least_of(class: u64) -> u64 {
    if class < SINGLE {
        return class;
    }
    let (power, part) = ((class - SINGLE) / PARTS + 5, (class - SINGLE) % PARTS);
    (PARTS + part) << (power - 4)
}

impl Histogram {
    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        let class = usize::try_from(class_of(value)).unwrap_or_default();
        if self.counts.len() <= class {
            self.counts.resize(class + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(class) {
            *count += 1;
        }
        self.number += 1;
        self.sum += value;
    }

    /// How many values there are.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The sum of the values.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The value below which a share of the others lies, to within a twentieth; 0 if there are none.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    pub fn quantile(&self, share: f64) -> u64 {
        let wanted = (self.number as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (count, class) in self.counts.iter().zip(0..) {
            seen += u64::from(*count);
            if seen >= wanted {
                return least_of(class);
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_narrow_and_in_order() {
        for value in (0..5_000).chain([100_000, 1 << 40]) {
            let (least, next) = (least_of(class_of(value)), least_of(class_of(value) + 1));
            assert!(least <= value && value < next, "{value}: {least}–{next}");
            assert!((next - least) * 16 <= value.max(16), "{value}: {least}–{next}");
        }
    }

    #[test]
    fn quantiles_are_near() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|minutes| histogram.add(minutes));
        assert_eq!((histogram.number(), histogram.sum()), (1_000, 500_500));
        assert!((480..=500).contains(&histogram.quantile(0.5)), "{}", histogram.quantile(0.5));
        assert!((850..=900).contains(&histogram.quantile(0.9)), "{}", histogram.quantile(0.9));
        assert_eq!(Histogram::default().quantile(0.5), 0);
    }
}
