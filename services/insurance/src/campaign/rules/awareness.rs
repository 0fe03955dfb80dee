//! What a survey sample says of everybody: the share that knew, and Wilson's interval around it. Whole numbers alone, so that the
//! same sample always says the same.

/// Parts per million.
const MILLION: u128 = 1_000_000;
/// z² for 95 % (z = 1.96) in ten-thousandths.
const Z_SQUARED: u128 = 38_416;
const TEN_THOUSAND: u128 = 10_000;

/// A part of a whole in parts per million, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// The part of those asked, rounded half up.
    pub(crate) share_ppm: i32,
    /// Wilson's lower bound, rounded down.
    pub(crate) low_ppm: i32,
    /// Wilson's upper bound, rounded up.
    pub(crate) high_ppm: i32,
}

/// What `aware` of `asked` people say of everybody; `None` when nobody was asked.
///
/// With n asked, a aware and Z = z², the bounds are ((2a + Z) ∓ √(4aZ(n − a)/n + Z²)) / (2(n + Z)).
pub(crate) fn share(aware: u32, asked: u32) -> Option<Share> {
    let (aware, asked) = (u128::from(aware.min(asked)), u128::from(asked));
    if asked == 0 {
        return None;
    }
    // the middle and the divisor, each times ten thousand
    let middle = 2 * aware * TEN_THOUSAND + Z_SQUARED;
    let divisor = 2 * (asked * TEN_THOUSAND + Z_SQUARED);
    // the square of the half width, times ten thousand and a million; rounded up, so that the interval only grows
    let square = 4 * aware * (asked - aware) * Z_SQUARED * TEN_THOUSAND * MILLION * MILLION;
    let half = root_up(square.div_ceil(asked) + Z_SQUARED * Z_SQUARED * MILLION * MILLION);
    let low = (middle * MILLION).saturating_sub(half) / divisor;
    let high = (middle * MILLION + half).div_ceil(divisor).min(MILLION);
    let share = (aware * MILLION * 2 + asked) / (asked * 2);
    Some(Share { share_ppm: ppm(share), low_ppm: ppm(low), high_ppm: ppm(high) })
}

/// The smallest number whose square is at least `number`.
fn root_up(number: u128) -> u128 {
    let root = number.isqrt();
    if root * root < number { root + 1 } else { root }
}

/// A part of a million for the wire.
fn ppm(part: u128) -> i32 {
    i32::try_from(part.min(MILLION)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From the formula in floating point.
    fn by_formula(aware: u32, asked: u32) -> (f64, f64) {
        let (n, z) = (f64::from(asked), 1.96_f64);
        let p = f64::from(aware) / n;
        let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let (middle, whole) = (p + z * z / (2.0 * n), 1.0 + z * z / n);
        ((middle - half) / whole * 1e6, (middle + half) / whole * 1e6)
    }

    #[test]
    fn of_known_samples_the_interval_is_the_known_one() {
        let share = |aware, asked| share(aware, asked).map(|s| (s.share_ppm, s.low_ppm, s.high_ppm));
        assert_eq!(share(0, 0), None);
        assert_eq!(share(85, 100), Some((850_000, 767_162, 906_941)));
        assert_eq!(share(0, 10), Some((0, 0, 277_541)));
        assert_eq!(share(10, 10), Some((1_000_000, 722_459, 1_000_000)));
        assert_eq!(share(1, 3).map(|share| share.0), Some(333_333));
        assert_eq!(share(2, 3).map(|share| share.0), Some(666_667));
    }

    fn sample() -> impl Strategy<Value = (u32, u32)> {
        (1u32..=1_000_000).prop_flat_map(|asked| (0..=asked, Just(asked)))
    }

    proptest! {
        #[test]
        fn the_interval_lies_within_bounds_and_holds_the_share((aware, asked) in sample()) {
            let share = share(aware, asked).unwrap();
            prop_assert!(0 <= share.low_ppm && share.low_ppm <= share.share_ppm);
            prop_assert!(share.share_ppm <= share.high_ppm && share.high_ppm <= 1_000_000);
            // exactly, and not only after rounding
            let (a, n) = (i64::from(aware) * 1_000_000, i64::from(asked));
            prop_assert!(i64::from(share.low_ppm) * n <= a && a <= i64::from(share.high_ppm) * n);
        }

        #[test]
        fn it_is_wilsons((aware, asked) in sample()) {
            let share = share(aware, asked).unwrap();
            let (low, high) = by_formula(aware, asked);
            prop_assert!((f64::from(share.low_ppm) - low).abs() <= 1.01, "{share:?} {low}");
            prop_assert!((f64::from(share.high_ppm) - high).abs() <= 1.01, "{share:?} {high}");
        }

        #[test]
        fn it_shrinks_as_the_sample_grows((aware, asked) in sample(), times in 2u32..50) {
            let (asked, aware) = (asked.min(20_000), aware.min(asked.min(20_000)));
            let width = |share: Share| share.high_ppm - share.low_ppm;
            let (small, large) = (share(aware, asked).unwrap(), share(aware * times, asked * times).unwrap());
            // each bound is rounded outwards by less than one part
            prop_assert!(width(large) <= width(small) + 1, "{small:?} {large:?}");
        }

        #[test]
        fn who_know_and_who_don_t_mirror_each_other((aware, asked) in sample()) {
            let (one, other) = (share(aware, asked).unwrap(), share(asked - aware, asked).unwrap());
            prop_assert_eq!(one.low_ppm + other.high_ppm, 1_000_000);
        }
    }
}
