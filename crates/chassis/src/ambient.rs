//! What surrounds a call and must not be handed through every function: the caller's language and the trace id.
//! Set once by the outermost layer; read where an error is turned into its wire form.

use std::future::Future;

/// The language of messages for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Language {
    /// 简体中文, the default.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The language that an `accept-language` value (RFC 9110 § 12.5.4) prefers among ours.
    pub fn preferred(accept: Option<&str>) -> Language {
        let mut best = (Language::Chinese, 0.0);
        for part in accept.unwrap_or_default().split(',') {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = pieces
                .find_map(|p| p.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            let language = match tag.split('-').next() {
                Some("zh") => Language::Chinese,
                Some("en") => Language::English,
                _ => continue,
            };
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// The BCP 47 tag that `LocalizedMessage` carries.
    pub fn tag(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }
}

/// What surrounds one call.
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// The caller's language.
    pub language: Language,
    /// The W3C trace id, 32 hexadecimal digits; empty outside a trace.
    pub trace_id: String,
}

tokio::task_local! {
    static AMBIENT: Ambient;
}

impl Ambient {
    /// Runs `future` within these surroundings.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        AMBIENT.scope(self, future).await
    }

    /// The surroundings of the present call; the defaults outside one.
    pub fn current() -> Ambient {
        AMBIENT.try_with(Clone::clone).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_that_we_have_wins() {
        assert_eq!(Language::preferred(None), Language::Chinese);
        assert_eq!(Language::preferred(Some("en-GB,en;q=0.9,zh;q=0.1")), Language::English);
        assert_eq!(Language::preferred(Some("fr, zh-CN;q=0.5, en;q=0.2")), Language::Chinese);
        assert_eq!(Language::preferred(Some("fr;q=x")), Language::Chinese);
    }
}
