//! Paths of `google.api.http` in a trie: literals before `*` before `**`, then the verb.

use std::collections::HashMap;

/// A field that a part of the path fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The path to the field: `["committee", "name"]`.
    pub(crate) field: Vec<String>,
    /// Its first segment.
    pub(crate) from: usize,
    /// The segment after its last; to the end when `None`.
    pub(crate) to: Option<usize>,
}

/// What a template leads to.
#[derive(Debug)]
pub(crate) struct Leaf<T> {
    pub(crate) variables: Vec<Variable>,
    pub(crate) template: String,
    pub(crate) value: T,
}

#[derive(Debug)]
struct Ending<T> {
    method: String,
    verb: String,
    leaf: Leaf<T>,
}

/// Templates by their segments.
#[derive(Debug)]
pub(crate) struct Trie<T> {
    literals: HashMap<String, Trie<T>>,
    star: Option<Box<Trie<T>>>,
    rest: Vec<Ending<T>>,
    endings: Vec<Ending<T>>,
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Trie { literals: HashMap::new(), star: None, rest: Vec::new(), endings: Vec::new() }
    }
}

/// The path and the verb behind its last colon, when that stands outside braces.
fn split_verb(template: &str) -> (&str, &str) {
    match template.rfind(':') {
        Some(at) if !template[at..].contains(['/', '}']) => (&template[..at], &template[at + 1..]),
        _ => (template, ""),
    }
}

impl<T> Trie<T> {
    /// Adds `/v1/{name=towns/*/committees/*}:merge`.
    pub(crate) fn insert(&mut self, method: &str, template: &str, value: T) -> Result<(), String> {
        let (path, verb) = split_verb(template);
        let mut rest = path.strip_prefix('/').ok_or_else(|| format!("{template}: no leading slash"))?;
        let (mut node, mut variables, mut n, mut open) = (self, Vec::new(), 0, false);
        while !rest.is_empty() {
            let part = if rest.starts_with('{') {
                let end = rest.find('}').ok_or_else(|| format!("{template}: a brace is not closed"))?;
                let (name, pattern) = rest[1..end].split_once('=').unwrap_or((&rest[1..end], "*"));
                let from = n;
                for segment in pattern.split('/') {
                    (node, open) = node.step(segment);
                    n += 1;
                }
                let field = name.split('.').map(str::to_owned).collect();
                variables.push(Variable { field, from, to: (!open).then_some(n) });
                &rest[..=end]
            } else {
                let segment = rest.split('/').next().unwrap_or_default();
                (node, open) = node.step(segment);
                n += 1;
                segment
            };
            rest = rest[part.len()..].strip_prefix('/').unwrap_or(&rest[part.len()..]);
        }
        let list = if open { &mut node.rest } else { &mut node.endings };
        if list.iter().any(|other| other.method == method && other.verb == verb) {
            return Err(format!("two methods at {method} {template}"));
        }
        let leaf = Leaf { variables, template: template.to_owned(), value };
        list.push(Ending { method: method.to_owned(), verb: verb.to_owned(), leaf });
        Ok(())
    }

    fn step(&mut self, segment: &str) -> (&mut Trie<T>, bool) {
        match segment {
            "**" => (self, true),
            "*" => (self.star.get_or_insert_default(), false),
            literal => (self.literals.entry(literal.to_owned()).or_default(), false),
        }
    }

    /// The leaf and the segments, still percent-encoded; else the methods that the path knows.
    pub(crate) fn find<'a, 'p>(
        &'a self,
        method: &str,
        path: &'p str,
    ) -> Result<(&'a Leaf<T>, Vec<&'p str>), Vec<&'a str>> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bare, verb) = split_verb(path);
        let mut allowed = Vec::new();
        // a last segment may hold a colon of its own
        for (path, verb) in [(bare, verb), (path, "")] {
            let segments: Vec<&str> = path.split('/').collect();
            if let Some(leaf) = self.walk(method, verb, &segments, &mut allowed) {
                return Ok((leaf, segments));
            }
        }
        allowed.sort_unstable();
        allowed.dedup();
        Err(allowed)
    }

    /// A path with its own words where a template has them, and `*` for what a caller put there.
    pub(crate) fn masked(&self, path: &str) -> String {
        let (mut node, mut out) = (Some(self), String::new());
        for segment in path.trim_start_matches('/').split('/') {
            let literal = node.and_then(|node| node.literals.get(segment));
            out.push('/');
            out.push_str(if literal.is_some() { segment } else { "*" });
            node = literal.or_else(|| node.and_then(|node| node.star.as_deref()));
        }
        out
    }

    fn walk<'a>(
        &'a self,
        method: &str,
        verb: &str,
        segments: &[&str],
        allowed: &mut Vec<&'a str>,
    ) -> Option<&'a Leaf<T>> {
        let list = match segments.split_first() {
            None => &self.endings,
            Some((first, rest)) => {
                if let Some(leaf) =
                    self.literals.get(*first).and_then(|node| node.walk(method, verb, rest, allowed))
                {
                    return Some(leaf);
                }
                if !first.is_empty()
                    && let Some(leaf) =
                        self.star.as_ref().and_then(|node| node.walk(method, verb, rest, allowed))
                {
                    return Some(leaf);
                }
                &self.rest
            }
        };
        let mut found = None;
        for ending in list.iter().filter(|ending| ending.verb == verb) {
            if ending.method == method {
                found = Some(&ending.leaf);
            }
            allowed.push(&ending.method);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie() -> Trie<&'static str> {
        let mut trie = Trie::default();
        for (method, template, value) in [
            ("GET", "/v1/{name=towns/*}", "town"),
            ("GET", "/v1/towns", "towns"),
            ("GET", "/v1/{name=towns/*/blocks/*}", "block"),
            ("GET", "/v1/{name=towns/*/blocks/*}:steward", "steward"),
            ("POST", "/v1/{name=towns/*/blocks/*}:handOver", "hand over"),
            ("PATCH", "/v1/{block.name=towns/*/blocks/*}", "update"),
            ("GET", "/v1/{name=files/**}", "file"),
        ] {
            trie.insert(method, template, value).unwrap();
        }
        trie
    }

    #[test]
    fn paths_of_several_segments_and_verbs_are_found() {
        let trie = trie();
        let find =
            |method, path| trie.find(method, path).map(|(leaf, segments)| (leaf.value, segments.len()));
        assert_eq!(find("GET", "/v1/towns"), Ok(("towns", 2)));
        assert_eq!(find("GET", "/v1/towns/malu"), Ok(("town", 3)));
        assert_eq!(find("GET", "/v1/towns/malu/blocks/b-1:steward"), Ok(("steward", 5)));
        assert_eq!(find("GET", "/v1/towns/malu/blocks/b:x"), Ok(("block", 5)));
        assert_eq!(find("GET", "/v1/files/a/b/c"), Ok(("file", 5)));
        assert_eq!(find("DELETE", "/v1/towns/malu/blocks/b"), Err(vec!["GET", "PATCH"]));
        assert_eq!(find("GET", "/v1/towns//blocks/b"), Err(vec![]));
        assert_eq!(find("GET", "/v1/nothing"), Err(vec![]));
        assert_eq!(trie.masked("/v1/towns/malu/people/310199195112050137"), "/v1/towns/*/*/*");
        assert_eq!(trie.masked("/v1/towns/malu/blocks/b:x"), "/v1/towns/*/blocks/*");
    }

    #[test]
    fn two_methods_at_one_template_are_refused() {
        assert!(trie().insert("GET", "/v1/{other=towns/*}", "again").is_err());
        let (leaf, _) = {
            let mut one = Trie::default();
            one.insert("GET", "/v1/{a.b=x/*}/y", ()).unwrap();
            let found = one.find("GET", "/v1/x/1/y").map(|(leaf, _)| leaf.variables.clone()).unwrap();
            (found, ())
        };
        assert_eq!(leaf, [Variable { field: vec!["a".to_owned(), "b".to_owned()], from: 1, to: Some(3) }]);
    }
}
