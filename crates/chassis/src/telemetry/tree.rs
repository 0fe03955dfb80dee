//! A trace as a tree of text.

use std::{collections::HashSet, fmt::Write};

use super::StoredSpan;

/// Characters of an attribute on one line.
const WIDTH: usize = 140;

/// The spans as a tree, children under parents in the order of time; spans of several processes may be mixed.
pub fn render(spans: &[StoredSpan]) -> String {
    let mut spans: Vec<&StoredSpan> = spans.iter().collect();
    spans.sort_by_key(|span| (span.start_ns, u64::MAX - span.duration_ns));
    spans.dedup_by_key(|span| span.span_id.clone());
    let known: HashSet<&str> = spans.iter().map(|span| span.span_id.as_str()).collect();
    let mut text = String::new();
    for root in spans.iter().filter(|span| !known.contains(span.parent_span_id.as_str())) {
        branch(&mut text, &spans, root, "", root.start_ns);
    }
    text
}

fn branch(text: &mut String, spans: &[&StoredSpan], span: &StoredSpan, indent: &str, zero: u64) {
    let mark = if span.failed { "  FAILED" } else { "" };
    // writing to a String does not fail
    let _ = writeln!(
        text,
        "{indent}{} [{}]  +{} {}{mark}{}",
        attribute(span, "http.route").unwrap_or(&span.name),
        service(span),
        milliseconds(span.start_ns.saturating_sub(zero)),
        milliseconds(span.duration_ns),
        details(span)
    );
    let inner = format!("{indent}  ");
    for (name, at, attributes) in &span.events {
        let values: Vec<String> = attributes
            .iter()
            .filter(|(k, _)| k.contains('.') && !k.starts_with("code."))
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let _ = writeln!(
            text,
            "{inner}· {name}  +{} {}",
            milliseconds(at.saturating_sub(zero)),
            values.join(" ")
        );
    }
    for child in
        spans.iter().filter(|child| child.parent_span_id == span.span_id && child.span_id != span.span_id)
    {
        branch(text, spans, child, &inner, zero);
    }
}

fn attribute<'s>(span: &'s StoredSpan, key: &str) -> Option<&'s str> {
    span.attributes.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
}

fn service(span: &StoredSpan) -> &str {
    attribute(span, "db.system.name").or_else(|| attribute(span, "service")).unwrap_or(&span.process)
}

fn details(span: &StoredSpan) -> String {
    let mut text = String::new();
    for key in ["rpc.status_code", "http.response.status_code", "db.query.text"] {
        if let Some(value) = attribute(span, key) {
            let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let short: String = line.chars().take(WIDTH).collect();
            let more = if short.len() < line.len() { "…" } else { "" };
            let _ = write!(text, "  {short}{more}");
        }
    }
    text
}

fn milliseconds(ns: u64) -> String {
    format!("{:.2}ms", ns as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::{super::store::tests::span, *};

    #[test]
    fn children_stand_under_their_parent_in_the_order_of_time() {
        let mut statement = span("3", "2", "SELECT", 3_000_000);
        statement.attributes = vec![
            ("db.system.name".to_owned(), "postgresql".to_owned()),
            ("db.query.text".to_owned(), "select\n  1".to_owned()),
        ];
        let spans = [
            statement,
            span("2", "1", "inner", 2_000_000),
            span("1", "0", "outer", 1_000_000),
            span("9", "8", "elsewhere", 5_000_000),
        ];
        let mut spans = spans.to_vec();
        spans[2].attributes.push(("http.route".to_owned(), "GET /v1/{name=towns/*}".to_owned()));
        assert!(
            render(&spans).starts_with("GET /v1/{name=towns/*} [linli]"),
            "a path's template says more than its method"
        );
        spans[2].attributes.clear();
        let text = render(&spans);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("outer [linli]  +0.00ms 1.50ms"), "{text}");
        assert!(lines[1].starts_with("  inner"), "{text}");
        assert!(lines[2].starts_with("    SELECT [postgresql]  +2.00ms 1.50ms  select 1"), "{text}");
        assert!(lines[3].starts_with("elsewhere"), "a span whose parent isn't here is a root: {text}");
    }
}
