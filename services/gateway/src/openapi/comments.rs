//! The comments of the contracts, by full name.

use std::collections::HashMap;

use prost_reflect::{
    DescriptorPool,
    prost_types::{DescriptorProto, FileDescriptorProto},
};

/// Comments by full name.
#[derive(Debug, Default)]
pub(super) struct Comments(HashMap<String, String>);

impl Comments {
    /// Reads the source information of every file.
    pub(super) fn read(pool: &DescriptorPool) -> Comments {
        let mut comments = Comments::default();
        for file in pool.files() {
            comments.file(file.file_descriptor_proto());
        }
        comments
    }

    /// The comment of a service, method, message, field or enum value; empty without one.
    pub(super) fn of(&self, full_name: &str) -> &str {
        self.0.get(full_name).map_or("", String::as_str)
    }

    fn file(&mut self, file: &FileDescriptorProto) {
        let Some(source) = &file.source_code_info else { return };
        for location in &source.location {
            let comment = location.leading_comments().trim();
            let name = if comment.is_empty() { None } else { name_at(file, &location.path) };
            if let Some(name) = name {
                let lines: Vec<&str> = comment.lines().map(str::trim).collect();
                self.0.insert(format!("{}.{name}", file.package()), lines.join("\n"));
            }
        }
    }
}

/// The name that a path of field numbers leads to (descriptor.proto, SourceCodeInfo).
fn name_at(file: &FileDescriptorProto, path: &[i32]) -> Option<String> {
    let at = |n: i32| usize::try_from(n).ok();
    match path {
        [4, n, rest @ ..] => in_message(file.message_type.get(at(*n)?)?, rest),
        [5, n] => Some(file.enum_type.get(at(*n)?)?.name().to_owned()),
        // values of an enum are siblings of it in full names; the enum's name keeps them apart here
        [5, n, 2, v] => {
            let its = file.enum_type.get(at(*n)?)?;
            Some(format!("{}.{}", its.name(), its.value.get(at(*v)?)?.name()))
        }
        [6, n] => Some(file.service.get(at(*n)?)?.name().to_owned()),
        [6, n, 2, m] => {
            let service = file.service.get(at(*n)?)?;
            Some(format!("{}.{}", service.name(), service.method.get(at(*m)?)?.name()))
        }
        _ => None,
    }
}

fn in_message(message: &DescriptorProto, path: &[i32]) -> Option<String> {
    let at = |n: i32| usize::try_from(n).ok();
    let inner = match path {
        [] => return Some(message.name().to_owned()),
        [2, n] => message.field.get(at(*n)?)?.name().to_owned(),
        [3, n, rest @ ..] => in_message(message.nested_type.get(at(*n)?)?, rest)?,
        _ => return None,
    };
    Some(format!("{}.{inner}", message.name()))
}
