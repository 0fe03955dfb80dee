//! Filters against trees that are written out and read again.

use proptest::prelude::*;

use super::*;

const FIELDS: &[FieldSpec] = &[
    FieldSpec { name: "name", column: "c.name", kind: Kind::Text },
    FieldSpec { name: "count", column: "c.count", kind: Kind::Integer },
    FieldSpec { name: "since", column: "c.since", kind: Kind::Date },
    FieldSpec { name: "state", column: "c.state", kind: Kind::Enum(&["FOUNDED", "MERGED"]) },
    FieldSpec { name: "open", column: "c.open", kind: Kind::Bool },
    FieldSpec { name: "block", column: "c.block", kind: Kind::Name { collection: "blocks", town: "c.town" } },
];

fn shape(predicate: &Predicate) -> String {
    let join = |all: &[Predicate], with: &str| all.iter().map(shape).collect::<Vec<_>>().join(with);
    match predicate {
        Predicate::And(all) => format!("({})", join(all, "&")),
        Predicate::Or(any) => format!("({})", join(any, "|")),
        Predicate::Not(inner) => format!("!{}", shape(inner)),
        Predicate::Compare { column, op, .. } => format!("{}{op:?}", column.trim_start_matches("c.")),
    }
}

#[test]
fn or_binds_tighter_than_and() {
    let parsed = parse("count > 1 AND state = FOUNDED OR state = MERGED name:\"育\\\"兰\"", FIELDS).unwrap();
    assert_eq!(shape(&parsed), "(countGt&(stateEq|stateEq)&nameHas)");
    assert_eq!(
        shape(&parse("NOT (open = true AND -count<=3) since>=2020-01-01", FIELDS).unwrap()),
        "(!(openEq&!countLe)&sinceGe)"
    );
    assert_eq!(parse("  ", FIELDS), Ok(Predicate::And(vec![])));
}

#[test]
fn a_name_is_compared_by_its_parts() {
    let shape_of = |text| shape(&parse(text, FIELDS).unwrap());
    assert_eq!(shape_of("block = towns/malu/blocks/b-1"), "(townEq&blockEq)");
    assert_eq!(shape_of("block != \"towns/malu/blocks/b-1\""), "!(townEq&blockEq)");
    for bad in ["block = b-1", "block = towns/malu/estates/b-1", "block > towns/malu/blocks/b-1"] {
        assert!(parse(bad, FIELDS).is_err(), "{bad}");
    }
}

#[test]
fn an_error_says_where_and_what() {
    for (text, position, expected) in [
        ("count = x", 9, "a whole number"),
        ("colour = red", 1, "one of the fields"),
        ("state = CLOSED", 9, "one of FOUNDED, MERGED"),
        ("count 3", 7, "one of = !="),
        ("(count = 3", 11, ")"),
        ("name = \"abc", 12, "closing quotation mark"),
        ("since > 2020-02-30", 9, "a date"),
        ("state > FOUNDED", 9, "= or !="),
        ("name = ", 8, "a value"),
        ("count = 3)", 10, "AND, OR or the end"),
        ("since > 2020-01-01T00:00:00", 9, "a date"),
        ("since > \"20200101\"", 9, "a date"),
        ("since > 0000-01-01", 9, "a date"),
        ("since > -000001-01-01", 9, "a date"),
        ("name = \"居\0\"", 10, "without U+0000"),
    ] {
        let error = parse(text, FIELDS).unwrap_err();
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(error.expected.contains(expected), "{text}: {error}");
    }
    assert!(parse(&"(".repeat(100), FIELDS).unwrap_err().expected.contains("levels"));
    assert!(parse(&"count=1 ".repeat(65), FIELDS).unwrap_err().expected.contains("comparisons"));
}

/// A comparison as a caller may write it, and what it means.
fn comparisons() -> impl Strategy<Value = (String, Predicate)> {
    let compare = |column: &'static str, op, value| Predicate::Compare { column, op, value };
    prop_oneof![
        ("[\\PC]{0,8}", prop::bool::ANY).prop_map(move |(text, has)| {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            let (sign, op) = if has { (":", Op::Has) } else { ("!=", Op::Ne) };
            (format!("name {sign} \"{escaped}\""), compare("c.name", op, Value::Text(text)))
        }),
        any::<i64>()
            .prop_map(move |n| (format!("count<={n}"), compare("c.count", Op::Le, Value::Integer(n)))),
        (1i16..=9_999, 1i8..=12, 1i8..=28).prop_map(move |(y, m, d)| {
            let day = jiff::civil::date(y, m, d);
            (format!("since > {day}"), compare("c.since", Op::Gt, Value::Date(day)))
        }),
        Just(("state = MERGED".to_owned(), compare("c.state", Op::Eq, Value::Text("MERGED".to_owned())))),
        Just(("open=true".to_owned(), compare("c.open", Op::Eq, Value::Bool(true)))),
    ]
}

/// A tree written with no more parentheses than it takes: OR needs none inside AND, a word or `-` negates what follows.
fn filters() -> impl Strategy<Value = (String, Predicate)> {
    comparisons().prop_recursive(4, 24, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            (several.clone(), prop::bool::ANY).prop_map(|(all, word)| {
                let texts: Vec<String> =
                    all.iter().map(|(text, it)| enclose(text, matches!(it, Predicate::And(_)))).collect();
                (
                    texts.join(if word { " AND " } else { " " }),
                    Predicate::And(all.into_iter().map(|(_, it)| it).collect()),
                )
            }),
            several.prop_map(|any| {
                let nested = |it: &Predicate| matches!(it, Predicate::And(_) | Predicate::Or(_));
                let texts: Vec<String> = any.iter().map(|(text, it)| enclose(text, nested(it))).collect();
                (texts.join(" OR "), Predicate::Or(any.into_iter().map(|(_, it)| it).collect()))
            }),
            (inner, prop::bool::ANY).prop_map(|((text, it), word)| {
                let text = enclose(&text, !matches!(it, Predicate::Compare { .. }));
                (format!("{}{text}", if word { "NOT " } else { "-" }), Predicate::Not(Box::new(it)))
            }),
        ]
    })
}

fn enclose(text: &str, needed: bool) -> String {
    if needed { format!("({text})") } else { text.to_owned() }
}

proptest! {
    #[test]
    fn a_filter_is_read_as_it_is_written((text, predicate) in filters()) {
        prop_assert_eq!(parse(&text, FIELDS), Ok(predicate), "{}", text);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "[a-z=<>!:()\" \\\\-]{0,60}|.{0,60}") {
        let _ = parse(&text, FIELDS);
    }
}
