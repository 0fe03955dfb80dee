//! What the log of this process says of some words. There is one log of a process, so that tests beside each other listen together.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// Lines that are kept of one word: enough to see where it comes from.
const KEPT: usize = 3;

/// A word with the first lines that it stood in.
#[derive(Debug)]
struct Word {
    text: String,
    lines: Mutex<Vec<String>>,
}

/// Listens for words from when it was made.
#[derive(Clone, Debug)]
pub struct Ear(Vec<Arc<Word>>);

static WORDS: OnceLock<Mutex<Vec<Arc<Word>>>> = OnceLock::new();

fn words() -> &'static Mutex<Vec<Arc<Word>>> {
    WORDS.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(FILTER))
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(|| Lines)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        Mutex::default()
    })
}

/// Everything that the suite says, and more of others than is logged in production.
const FILTER: &str = "debug,chassis=trace,governance=trace,funding=trace,insurance=trace,kernel=trace,tabular=trace,object_store=trace";

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        for word in words().lock().unwrap().iter().filter(|word| line.contains(&word.text)) {
            let mut lines = word.lines.lock().unwrap();
            if lines.len() < KEPT {
                lines.push(line.clone().into_owned());
            }
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Ear {
    /// Listens for these words, in whatever this process logs from now on: each event and span with its fields.
    ///
    /// # Panics
    /// When something else listens already.
    pub fn listen(to: &[&str]) -> Ear {
        let word = |text: &&str| Arc::new(Word { text: (*text).to_owned(), lines: Mutex::default() });
        let ear = Ear(to.iter().map(word).collect());
        words().lock().unwrap().extend(ear.0.iter().cloned());
        ear
    }

    /// The first lines in which a word stood that it listens for.
    ///
    /// # Panics
    /// When it doesn't listen for it.
    pub fn heard(&self, text: &str) -> Vec<String> {
        let word = self.0.iter().find(|word| word.text == text).unwrap();
        word.lines.lock().unwrap().clone()
    }
}
