//! How often one caller may call.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use chassis::refusal::{RATE_LIMITED, Refusal};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use moka::sync::Cache;

/// Callers that are remembered at most.
const CALLERS: u64 = 50_000;

/// A token bucket for each caller.
#[derive(Clone)]
pub(crate) struct Rates {
    quota: Quota,
    buckets: Cache<String, Arc<DefaultKeyedRateLimiter<()>>>,
}

impl Rates {
    /// So many calls a second, twice as many at once.
    pub(crate) fn new(per_second: NonZeroU32) -> Rates {
        let quota = Quota::per_second(per_second)
            .allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        // a caller who is quiet for a minute has a full bucket anyway
        Rates {
            quota,
            buckets: Cache::builder().max_capacity(CALLERS).time_to_idle(Duration::from_secs(60)).build(),
        }
    }

    /// Takes a token of `caller`.
    pub(crate) fn admit(&self, caller: &str) -> Result<(), Refusal> {
        let bucket = self.buckets.get_with(caller.to_owned(), || Arc::new(RateLimiter::keyed(self.quota)));
        bucket.check_key(&()).map_err(|until| {
            let wait = until.wait_time_from(governor::clock::DefaultClock::default().now());
            Refusal::new(&RATE_LIMITED).retry_after(wait.max(Duration::from_millis(10)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_does_not_take_the_calls_of_another() {
        let rates = Rates::new(NonZeroU32::MIN.saturating_add(4));
        let admitted = (0..100).filter(|_| rates.admit("a").is_ok()).count();
        assert!((10..=11).contains(&admitted), "{admitted}");
        assert!(rates.admit("b").is_ok());
    }
}
