//! The OpenAPI 3.1 document, made of the descriptor set: paths, parameters, schemas and every comment.

mod comments;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MethodDescriptor};
use serde_json::{Map, Value, json};

use crate::rest::bindings;
use comments::Comments;
use schema::Schemas;

/// The document for the contracts in `pool`. `banner` stands in its description.
pub(crate) fn document(pool: &DescriptorPool, banner: Option<&str>) -> Result<Value, String> {
    let comments = Comments::read(pool);
    let mut schemas = Schemas::new(pool, &comments);
    let permission = pool
        .get_extension_by_name("linli.common.v1.permission")
        .ok_or("the option permission is not in the descriptors")?;
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (method, verb, template, body) in bindings(pool)? {
        let (path, bound) = readable(&template, &method);
        let options = method.options();
        let needed = options.get_extension(&permission).as_str().unwrap_or_default().to_owned();
        let mut operation = operation(&method, &body, &bound, &needed, &comments, &mut schemas);
        let times = seen.entry(method.full_name().to_owned()).or_default();
        *times += 1;
        if *times > 1 {
            operation["operationId"] =
                format!("{}_{}_{times}", method.parent_service().name(), method.name()).into();
        }
        paths.entry(path).or_default().insert(verb.to_lowercase(), operation);
    }
    let status =
        pool.get_message_by_name("google.rpc.Status").ok_or("google.rpc.Status is not in the descriptors")?;
    schemas.refer(&status);
    let about = "Linli 邻里: community work of a town, as gRPC, gRPC-Web and REST/JSON.";
    let description = banner.map_or_else(|| about.to_owned(), |banner| format!("{about}\n\n**{banner}**"));
    Ok(json!({
        "openapi": "3.1.0",
        "info": {"title": "Linli 邻里", "version": "v1", "description": description, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": tags(pool, &comments),
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": {"Error": {
                "description": "An error (AIP-193): the same details as on gRPC.",
                "content": {"application/json": {"schema": {"type": "object", "required": ["error"], "properties": {"error": {
                    "type": "object", "required": ["code", "message", "status"],
                    "properties": {
                        "code": {"type": "integer", "description": "The HTTP status."},
                        "message": {"type": "string"},
                        "status": {"type": "string", "description": "The name of the gRPC code."},
                        "details": {"type": "array", "items": {"type": "object", "properties": {"@type": {"type": "string"}}}}
                    }}}}}}
            }}
        }
    }))
}

fn tags(pool: &DescriptorPool, comments: &Comments) -> Vec<Value> {
    let services = pool.services().filter(|service| service.full_name().starts_with("linli."));
    services
        .map(|service| json!({"name": service.name(), "description": comments.of(service.full_name())}))
        .collect()
}

/// `/v1/{name=towns/*/blocks/*}:close` as `/v1/towns/{town}/blocks/{block}:close`, its parameters, and the fields that
/// the path fills.
fn readable(template: &str, method: &MethodDescriptor) -> (String, (Vec<String>, BTreeSet<String>)) {
    let (mut path, mut parameters, mut fields, mut rest) =
        (String::new(), Vec::new(), BTreeSet::new(), template);
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').map_or(rest.len(), |end| start + end);
        path.push_str(&rest[..start]);
        let (field, pattern) = rest[start + 1..end].split_once('=').unwrap_or((&rest[start + 1..end], "*"));
        fields.insert(field.to_owned());
        let mut before = method.name().to_owned();
        let segments = pattern.split('/').map(|segment| {
            if !segment.starts_with('*') {
                before = segment.to_owned();
                return segment.to_owned();
            }
            let name = singular(&before);
            parameters.push(name.clone());
            format!("{{{name}}}")
        });
        path.push_str(&segments.collect::<Vec<_>>().join("/"));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    path.push_str(rest);
    (path, (parameters, fields))
}

fn singular(collection: &str) -> String {
    let word = collection.strip_suffix("ies").map(|stem| format!("{stem}y"));
    let word = word.or_else(|| collection.strip_suffix("ees").map(|stem| format!("{stem}ee")));
    word.or_else(|| collection.strip_suffix('s').map(str::to_owned)).unwrap_or_else(|| collection.to_owned())
}

fn operation(
    method: &MethodDescriptor,
    body: &str,
    (parameters, bound): &(Vec<String>, BTreeSet<String>),
    permission: &str,
    comments: &Comments,
    schemas: &mut Schemas<'_>,
) -> Value {
    let comment = comments.of(method.full_name());
    let mut all: Vec<Value> = parameters
        .iter()
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}}))
        .collect();
    if body != "*" {
        let input = method.input();
        let fields = input.fields().filter(|field| field.name() != body && !bound.contains(field.name()));
        all.extend(fields.filter_map(|field| query(&field, comments, schemas)));
    }
    let media = if method.is_server_streaming() { "application/x-ndjson" } else { "application/json" };
    let mut operation = json!({
        "operationId": format!("{}_{}", method.parent_service().name(), method.name()),
        "tags": [method.parent_service().name()],
        "summary": comment.split_inclusive(['.', ':']).next().unwrap_or_default().trim(),
        "description": comment,
        "x-permission": permission,
        "parameters": all,
        "responses": {
            "200": {"description": "The answer.", "content": {media: {"schema": schemas.refer(&method.output())}}},
            "default": {"$ref": "#/components/responses/Error"}
        }
    });
    if permission == "public" {
        operation["security"] = json!([]);
    }
    let content = match body {
        "" => None,
        "*" => Some(schemas.refer(&method.input())),
        name => method.input().get_field_by_name(name).and_then(|field| match field.kind() {
            Kind::Message(message) => Some(schemas.refer(&message)),
            _ => None,
        }),
    };
    if let Some(schema) = content {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn query(field: &FieldDescriptor, comments: &Comments, schemas: &mut Schemas<'_>) -> Option<Value> {
    let schema = match field.kind() {
        Kind::Message(message) if message.full_name() == "google.type.Date" => {
            json!({"type": "string", "format": "date"})
        }
        Kind::Message(message) if !message.full_name().starts_with("google.protobuf.") => return None,
        _ => schemas.field(field),
    };
    let required = schemas.is_required(field);
    Some(
        json!({"name": field.json_name(), "in": "query", "required": required, "description": comments.of(field.full_name()), "schema": schema}),
    )
}
