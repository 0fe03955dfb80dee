//! What the conventions of the contracts ask and buf can't see: every linli RPC and request, walked.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use std::collections::BTreeSet;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};

/// What stands outside the conventions, one a line; it can only shrink.
const EXCEPTIONS: &str = include_str!("exceptions.txt");

fn pool() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTORS).unwrap()
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let services = pool.services().filter(|service| service.full_name().starts_with("linli."));
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn rule(pool: &DescriptorPool, method: &MethodDescriptor) -> Option<DynamicMessage> {
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    options.has_extension(&http).then(|| options.get_extension(&http).as_message().unwrap().clone())
}

fn binding(rule: &DynamicMessage) -> (&'static str, String) {
    let verb =
        ["get", "post", "patch", "delete"].into_iter().find(|verb| rule.has_field_by_name(verb)).unwrap();
    (verb, rule.get_field_by_name(verb).unwrap().as_str().unwrap().to_owned())
}

fn has(method: &MethodDescriptor, field: &str) -> bool {
    method.input().get_field_by_name(field).is_some()
}

fn has_behavior(pool: &DescriptorPool, field: &FieldDescriptor) -> bool {
    let behavior = pool.get_extension_by_name("google.api.field_behavior").unwrap();
    field.options().get_extension(&behavior).as_list().is_some_and(|list| !list.is_empty())
}

fn faults(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<String> {
    let mut faults = Vec::new();
    let mut want = |good: bool, what: &str| {
        if !good {
            faults.push(format!("{}: {what}", method.full_name()));
        }
    };
    let permission = pool.get_extension_by_name("linli.common.v1.permission").unwrap();
    let options = method.options();
    let permission = options.get_extension(&permission);
    want(!permission.as_str().unwrap_or_default().is_empty(), "a permission");
    let Some(rule) = rule(pool, method) else {
        want(false, "an HTTP binding");
        return faults;
    };
    let ((verb, path), name) = (binding(&rule), method.name());
    let custom =
        path.rsplit('/').next().unwrap_or_default().split_once(':').map(|(_, custom)| custom.to_owned());
    // a read whose request must not stand in a URL is a POST
    let quiet = ["Search", "Reveal", "Export", "ResolveGrants", "ReadDocument"]
        .iter()
        .any(|word| name.starts_with(word));
    let reads = verb == "get" || (quiet && verb == "post");
    match (name, custom.is_some()) {
        (name, false) if name.starts_with("Get") || name.starts_with("List") => want(reads, "GET"),
        (name, false) if name.starts_with("Create") => want(verb == "post", "POST"),
        (name, false) if name.starts_with("Update") => want(verb == "patch", "PATCH"),
        (name, false) if name.starts_with("Delete") => want(verb == "delete", "DELETE"),
        (_, true) => want(reads || verb == "post", "GET or POST for a custom method"),
        (_, false) => want(false, "a verb behind a colon"),
    }
    if name.starts_with("List") {
        want(has(method, "page_size") && has(method, "page_token"), "pages");
        want(method.output().get_field_by_name("next_page_token").is_some(), "next_page_token");
    }
    want(reads || has(method, "request_id"), "request_id");
    let transition = custom.is_some() && !reads && has(method, "name");
    want(!transition || has(method, "etag"), "etag");
    for field in method.input().fields() {
        want(has_behavior(pool, &field), &format!("field_behavior of {}", field.name()));
    }
    faults
}

#[test]
fn every_rpc_keeps_the_conventions() {
    let pool = pool();
    assert!(methods(&pool).len() > 45);
    let found: BTreeSet<String> = methods(&pool).iter().flat_map(|method| faults(&pool, method)).collect();
    let known: BTreeSet<String> =
        EXCEPTIONS.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert_eq!(found, known, "left: found, right: tests/exceptions.txt");
}

/// The paths of personal fields below `message`, without the messages that it stands in itself.
fn personal(message: &MessageDescriptor, above: &[String]) -> Vec<String> {
    let option = message.parent_pool().get_extension_by_name("linli.common.v1.personal").unwrap();
    let mut found = Vec::new();
    for field in message.fields() {
        if field.options().get_extension(&option).as_bool() == Some(true) {
            found.push(field.name().to_owned());
        }
        if let Kind::Message(inner) = field.kind()
            && !above.contains(&inner.full_name().to_owned())
        {
            let above = [above, &[inner.full_name().to_owned()]].concat();
            found.extend(personal(&inner, &above).into_iter().map(|path| format!("{}.{path}", field.name())));
        }
    }
    found
}

/// What isn't in the body stands in path or query, and so in the logs of every proxy on the way.
#[test]
fn nothing_personal_stands_in_a_url() {
    let pool = pool();
    let mut bodies = 0;
    for method in methods(&pool) {
        let Some(rule) = rule(&pool, &method) else { continue };
        let ((_, path), body) = (binding(&rule), rule.get_field_by_name("body").unwrap());
        let body = body.as_str().unwrap_or_default().to_owned();
        for field in personal(&method.input(), &[]) {
            let in_path = path.contains(&format!("{{{field}=")) || path.contains(&format!("{{{field}}}"));
            let in_body = body == "*" || field.split('.').next() == Some(body.as_str());
            assert!(in_body && !in_path, "{}: {field} stands in {path}", method.full_name());
            bodies += 1;
        }
    }
    assert!(bodies >= 5, "{bodies} personal fields of requests");
}

#[test]
fn resources_begin_with_their_name_and_enums_with_unspecified() {
    let pool = pool();
    let resource = pool.get_extension_by_name("google.api.resource").unwrap();
    let mut resources = 0;
    for message in pool.all_messages().filter(|message| message.options().has_extension(&resource)) {
        resources += 1;
        assert_eq!(
            message.fields().min_by_key(FieldDescriptor::number).unwrap().name(),
            "name",
            "{}",
            message.full_name()
        );
    }
    assert!(resources >= 7, "{resources}");
    for values in pool.all_enums().filter(|values| values.full_name().starts_with("linli.")) {
        assert!(values.get_value(0).unwrap().name().ends_with("_UNSPECIFIED"), "{}", values.full_name());
    }
}
