//! Where a column's value comes from: a path into the payload, or the metadata beside it.

use crate::error::Error;
use crate::record::nearest::known_names;
use crate::record::payload::header;
use crate::record::schema::{Field, Type};

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A place in the payload.
    Path(Vec<Step>),
    /// What travels beside the payload.
    Meta(Meta),
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into an object, by key.
    Key(String),
    /// Into an array, by position.
    Index(usize),
}

/// What travels beside a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meta {
    Topic,
    Key,
    Time,
    Header(String),
    /// A field of the protocol: a header with a name of [`header`].
    Protocol(&'static str),
    /// Was it kept by a broker?
    Retained,
}

/// The fields of the protocol that are text.
const PROTOCOL: [&str; 3] = [header::CONTENT_TYPE, header::RESPONSE_TOPIC, header::CORRELATION_DATA];

/// Where the value of `field` comes from.
///
/// # Errors
/// The path cannot be read, in words for the user.
pub(crate) fn origin(field: &Field) -> Result<Origin, String> {
    match field.from.as_deref() {
        None => Ok(Origin::Path(vec![Step::Key(field.name.clone())])),
        Some(text) => parse(text),
    }
}

fn parse(text: &str) -> Result<Origin, String> {
    match text.strip_prefix("meta") {
        Some("" | ".") => {
            let ways = "`meta.topic`, `meta.key`, `meta.time` or `meta.header.NAME`";
            return Err(format!(
                "`{text}` names no metadata; write {ways}, or `'meta'` for a key of that name"
            ));
        }
        Some(".topic") => return Ok(Origin::Meta(Meta::Topic)),
        Some(".key") => return Ok(Origin::Meta(Meta::Key)),
        Some(".time") => return Ok(Origin::Meta(Meta::Time)),
        Some(".retained") => return Ok(Origin::Meta(Meta::Retained)),
        Some(rest) => {
            if let Some(header) = rest.strip_prefix(".header.").filter(|header| !header.is_empty()) {
                return Ok(Origin::Meta(Meta::Header(header.to_owned())));
            }
            if let Some(name) = rest.strip_prefix('.') {
                if let Some(field) = PROTOCOL.into_iter().find(|field| field[1..] == *name) {
                    return Ok(Origin::Meta(Meta::Protocol(field)));
                }
                let protocol = PROTOCOL.map(|field| &field[1..]);
                let known = ["topic", "key", "time", "header.NAME", "retained"].into_iter().chain(protocol);
                let known = known_names(name, known);
                return Err(format!(
                    "there is no metadata `{name}`; {known} (`'meta'.{name}` is a key of the payload)"
                ));
            }
        }
        None => {}
    }
    let bad = |why: &str| format!("the path `{text}` {why}");
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let (key, after) = key(rest).map_err(bad)?;
        steps.push(Step::Key(key));
        rest = after;
        while let Some(open) = rest.strip_prefix('[') {
            let (index, after) = open.split_once(']').ok_or_else(|| bad("has a `[` that is never closed"))?;
            let index = index.parse().map_err(|_| bad("has something other than a position in `[]`"))?;
            steps.push(Step::Index(index));
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Ok(Origin::Path(steps)),
            None => return Err(bad("goes on without a `.` after `]` or a closing quote")),
        }
    }
}

/// The key at the beginning of `text`, and what comes after it.
fn key(text: &str) -> Result<(String, &str), &'static str> {
    let Some(mut rest) = text.strip_prefix('\'') else {
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let (key, after) = text.split_at(end);
        if key.is_empty() {
            return Err("has an empty key");
        }
        if key.contains(['\'', ']']) {
            return Err("has a quote or bracket inside a key; put the key in single quotes");
        }
        return Ok((key.to_owned(), after));
    };
    let mut key = String::new();
    loop {
        let (part, after) = rest.split_once('\'').ok_or("has a quote that is never closed")?;
        key.push_str(part);
        match after.strip_prefix('\'') {
            Some(after) => {
                key.push('\'');
                rest = after;
            }
            None => return Ok((key, after)),
        }
    }
}

/// Adds to `errors` what is wrong with the names and paths of these columns.
pub(crate) fn check(fields: &[Field], errors: &mut Vec<Error>) {
    if fields.is_empty() {
        errors.push(Error::config(
            "",
            "the schema has no columns; name at least one, as in `device_id = \"string\"`",
        ));
    }
    check_fields(fields, "", errors);
}

fn check_fields(fields: &[Field], prefix: &str, errors: &mut Vec<Error>) {
    let mut paths: Vec<(&Field, Vec<Step>)> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let name = &field.name;
        let key = format!("{prefix}{name}");
        if name.is_empty() {
            errors.push(Error::config(key.clone(), "a column needs a name"));
        }
        if fields[..index].iter().any(|other| other.name == *name) {
            errors.push(Error::config(key.clone(), format!("there are two columns `{name}`")));
        }
        match origin(field) {
            Err(message) => errors.push(Error::config(format!("{key}.from"), message)),
            Ok(Origin::Meta(_)) if !prefix.is_empty() => errors.push(Error::config(
                format!("{key}.from"),
                "metadata belongs to the whole payload; give it a column of its own",
            )),
            Ok(Origin::Meta(meta)) => errors.extend(check_meta(&meta, field, &key)),
            Ok(Origin::Path(path)) => {
                if let Some((other, _)) = paths.iter().find(|(_, other)| overlap(other, &path)) {
                    let message = format!(
                        "takes the same place in the payload as `{}`, or a part of it; a place fills one column",
                        other.name
                    );
                    errors.push(Error::config(format!("{key}.from"), message));
                }
                paths.push((field, path));
            }
        }
        check_type(&field.kind, &key, errors);
    }
}

fn check_type(kind: &Type, key: &str, errors: &mut Vec<Error>) {
    match kind {
        Type::List(items) => {
            if items.from.is_some() {
                errors.push(Error::config(format!("{key}.items.from"), "the items of a list have no `from`"));
            }
            check_type(&items.kind, &format!("{key}.items"), errors);
        }
        Type::Struct(fields) if fields.is_empty() => {
            errors.push(Error::config(format!("{key}.fields"), "a struct needs at least one field"));
        }
        Type::Struct(fields) => check_fields(fields, &format!("{key}.fields."), errors),
        _ => {}
    }
}

fn check_meta(meta: &Meta, field: &Field, key: &str) -> Option<Error> {
    let wanted = match (meta, &field.kind) {
        (Meta::Time, Type::Timestamp(..))
        | (Meta::Retained, Type::Bool)
        | (Meta::Protocol(header::CORRELATION_DATA), Type::Binary) => return None,
        (Meta::Time, _) => "a timestamp; write `type = \"timestamp(ms)\"`",
        (Meta::Retained, _) => "true or false; write `type = \"bool\"`",
        (_, Type::String) => return None,
        _ => "text; write `type = \"string\"`",
    };
    let from = field.from.as_deref().unwrap_or_default();
    Some(Error::config(format!("{key}.type"), format!("`{from}` is {wanted} instead of `{}`", field.kind)))
}

/// Is one the beginning of the other, or is one place both an object and an array?
fn overlap(a: &[Step], b: &[Step]) -> bool {
    for (a, b) in a.iter().zip(b) {
        match (a, b) {
            _ if a == b => {}
            (Step::Key(_), Step::Key(_)) | (Step::Index(_), Step::Index(_)) => return false,
            _ => return true,
        }
    }
    true
}
