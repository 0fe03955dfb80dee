//! The last answer of a peer, kept: asked again when it is old, and served on for a while when the peer can't be asked.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::away;
use crate::refusal::Refusal;

/// How old an answer may be before the peer is asked again.
const FRESH: Duration = Duration::from_secs(30);
/// How old it may be when the peer can't be asked.
const STALE: Duration = Duration::from_secs(600);
/// How long nobody asks again after a failure: a peer that hangs would hold every call for its whole deadline.
const PAUSE: Duration = Duration::from_secs(2);

/// An answer that is kept. Who asks while another does waits for that answer.
#[derive(Debug)]
pub(super) struct Kept<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    answer: Option<(T, Instant)>,
    failed: Option<Instant>,
}

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept(Mutex::new(State { answer: None, failed: None }))
    }
}

impl<T: Clone> Kept<T> {
    /// The answer; `ask` is handed the one before.
    ///
    /// # Errors
    /// What `ask` said when there is none that is young enough.
    pub(super) async fn get(
        &self,
        ask: impl AsyncFnOnce(Option<&T>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut state = self.0.lock().await;
        state.get(Instant::now(), ask).await
    }
}

impl<T: Clone> State<T> {
    async fn get(
        &mut self,
        now: Instant,
        ask: impl AsyncFnOnce(Option<&T>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if let Some(answer) = self.younger(now, FRESH) {
            return Ok(answer);
        }
        if self.failed.is_some_and(|failed| now.saturating_duration_since(failed) < PAUSE) {
            return self.younger(now, STALE).ok_or_else(away);
        }
        match ask(self.answer.as_ref().map(|(answer, _)| answer)).await {
            Ok(answer) => {
                *self = State { answer: Some((answer.clone(), now)), failed: None };
                Ok(answer)
            }
            Err(refusal) => {
                self.failed = Some(now);
                let Some(answer) = self.younger(now, STALE) else { return Err(refusal) };
                tracing::warn!(error = %refusal, "governance can't be asked; what it said before serves on");
                Ok(answer)
            }
        }
    }

    fn younger(&self, now: Instant, than: Duration) -> Option<T> {
        let answer = self.answer.as_ref();
        let young = answer.filter(|(_, at)| now.saturating_duration_since(*at) < than);
        young.map(|(answer, _)| answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked `seconds` after the start of a peer that is there or not: the answer, whether it was asked.
    async fn at(
        state: &mut State<u32>,
        start: Instant,
        seconds: u64,
        there: Option<u32>,
    ) -> (Option<u32>, bool) {
        let mut asked = false;
        let ask = async |_: Option<&u32>| {
            asked = true;
            there.ok_or_else(away)
        };
        let answer = state.get(start + Duration::from_secs(seconds), ask).await;
        let told = answer.map_err(|refusal| assert_eq!(refusal.metadata("peer"), Some("governance")));
        (told.ok(), asked)
    }

    #[tokio::test]
    async fn an_answer_is_kept_and_serves_on_while_the_peer_is_away() {
        let (start, mut state) = (Instant::now(), State { answer: None, failed: None });
        let cases = [
            // nothing yet, and nobody there: the second one in a row doesn't ask
            (0, None, (None, true)),
            (1, Some(1), (None, false)),
            (2, Some(1), (Some(1), true)),
            (31, Some(2), (Some(1), false)),
            (32, Some(2), (Some(2), true)),
            // away: one asks, the next within two seconds don't
            (62, None, (Some(2), true)),
            (63, Some(3), (Some(2), false)),
            (64, None, (Some(2), true)),
            (631, None, (Some(2), true)),
            (633, None, (None, true)),
            (634, Some(4), (None, false)),
            (635, Some(4), (Some(4), true)),
        ];
        for (seconds, there, expected) in cases {
            assert_eq!(at(&mut state, start, seconds, there).await, expected, "after {seconds} s");
        }
    }
}
