//! Finding Chinese names by what people type: signs, pinyin without tones, initials, or a mixture (`yl社区`).

use pinyin::ToPinyinMulti;

/// How well a name fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is the name.
    Whole,
    /// The name begins with it.
    Start,
    /// It stands within the name.
    Within,
    /// The name begins with it in pinyin.
    PinyinStart,
    /// It stands within the name in pinyin.
    Pinyin,
}

/// A query, prepared once for many names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    typed: String,
    letters: Vec<char>,
}

/// What a sign of a name can be typed as.
#[derive(Clone, Debug)]
struct Sign {
    sign: char,
    readings: Vec<&'static str>,
}

impl Query {
    /// Prepares what was typed: case, spaces and apostrophes don't matter.
    pub fn new(typed: &str) -> Query {
        let typed: String = typed.trim().to_lowercase();
        let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '\'' && *c != '’').collect();
        Query { typed, letters }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// How well `name` fits; `None` when it doesn't.
    pub fn fit(&self, name: &str) -> Option<Fit> {
        if self.is_empty() {
            return None;
        }
        let plain = name.to_lowercase();
        match plain.find(&self.typed) {
            Some(0) if plain.len() == self.typed.len() => return Some(Fit::Whole),
            Some(0) => return Some(Fit::Start),
            Some(_) => return Some(Fit::Within),
            None => {}
        }
        let signs: Vec<Sign> = plain.chars().filter(|sign| !sign.is_whitespace()).map(Sign::of).collect();
        let begins = |from: usize| eats(&signs[from..], &self.letters);
        match (0..signs.len()).find(|from| begins(*from)) {
            Some(0) => Some(Fit::PinyinStart),
            Some(_) => Some(Fit::Pinyin),
            None => None,
        }
    }
}

impl Sign {
    fn of(sign: char) -> Sign {
        let several = sign.to_pinyin_multi();
        let mut readings: Vec<&'static str> =
            several.into_iter().flatten().map(|reading| reading.plain()).collect();
        // several tones are one reading without them
        readings.sort_unstable();
        readings.dedup();
        Sign { sign, readings }
    }
}

/// Whether the signs can be typed as `letters`: each as itself, as one of its readings, as the first letter of one; the
/// last one as the beginning of a reading. Walks the signs once with the set of letters that are typed so far, so that no
/// name and no query takes longer than signs times letters times readings.
fn eats(signs: &[Sign], letters: &[char]) -> bool {
    let mut typed = vec![false; letters.len() + 1];
    typed[0] = true;
    for sign in signs {
        let mut next = vec![false; letters.len() + 1];
        for at in (0..letters.len()).filter(|at| typed[*at]) {
            let left = &letters[at..];
            next[at + 1] |= left[0] == sign.sign;
            for reading in &sign.readings {
                let shared = reading.chars().zip(left).take_while(|(a, b)| a == *b).count();
                if shared == left.len() {
                    return true;
                }
                next[at + 1] |= shared >= 1;
                next[at + shared] |= shared >= 1 && shared == reading.chars().count();
            }
        }
        if next[letters.len()] {
            return true;
        }
        typed = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fit(query: &str, name: &str) -> Option<Fit> {
        Query::new(query).fit(name)
    }

    #[test]
    fn names_are_found_by_signs_pinyin_and_initials() {
        let name = "育兰社区居委会";
        for (query, expected) in [
            ("育兰社区居委会", Some(Fit::Whole)),
            ("育兰", Some(Fit::Start)),
            ("社区", Some(Fit::Within)),
            ("yulan", Some(Fit::PinyinStart)),
            ("Yu Lan", Some(Fit::PinyinStart)),
            ("yulanshe", Some(Fit::PinyinStart)),
            ("yulansh", Some(Fit::PinyinStart)),
            ("ylsq", Some(Fit::PinyinStart)),
            ("yl社区", Some(Fit::PinyinStart)),
            ("shequ", Some(Fit::Pinyin)),
            ("jwh", Some(Fit::Pinyin)),
            ("lanyu", None),
            ("希望", None),
            ("", None),
        ] {
            assert_eq!(fit(query, name), expected, "{query}");
        }
    }

    #[test]
    fn signs_with_several_readings_are_found_by_each() {
        for query in ["shuangdan", "shuangshan", "sdyf"] {
            assert!(fit(query, "双单一坊社区居委会").is_some(), "{query}");
        }
        assert_eq!(fit("We", "We家社区共营自治项目理事会"), Some(Fit::Start));
        assert_eq!(fit("wejia", "We家社区共营自治项目理事会"), Some(Fit::PinyinStart));
    }

    #[test]
    fn a_name_of_one_sign_many_times_is_no_riddle() {
        let (name, query) = ("阿".repeat(200), format!("{}1", "a".repeat(99)));
        assert_eq!(fit(&query, &name), None);
        assert_eq!(fit(&"a".repeat(100), &name), Some(Fit::PinyinStart));
    }

    proptest! {
        /// Whatever is typed letter by letter from a name's own signs finds it, and nothing panics.
        #[test]
        fn a_part_of_a_name_finds_it(name in "[一-龥a-z0-9]{1,12}", from in 0..12usize, length in 1..6usize) {
            let signs: Vec<char> = name.chars().collect();
            let from = from % signs.len();
            let part: String = signs[from..].iter().take(length).collect();
            prop_assert!(fit(&part, &name).is_some());
            let initials: String = signs[from..].iter().take(length)
                .map(|sign| Sign::of(*sign).readings.first().and_then(|r| r.chars().next()).unwrap_or(*sign)).collect();
            prop_assert!(fit(&initials, &name).is_some(), "{} in {}", initials, name);
        }

        #[test]
        fn anything_may_be_typed(query in ".{0,20}", name in ".{0,20}") {
            let _ = fit(&query, &name);
        }
    }
}
