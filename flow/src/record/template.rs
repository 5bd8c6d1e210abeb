//! Text with placeholders for a record's fields: `alerts/{device_id}`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::{Reason, RecordError};
use crate::record::schema::{Schema, Type};

/// What a placeholder's value must hold to, as one line for the record error.
pub type ValueCheck = fn(&str) -> Result<(), &'static str>;

/// Text with placeholders, `alerts/{device_id}`. `{{` and `}}` stand for single braces.
#[derive(Debug, Clone)]
pub struct Template {
    pieces: Vec<Piece>,
    check: Check,
}

/// Whose check it is.
#[derive(Clone)]
enum Check {
    Plain(ValueCheck),
    Shared(SharedCheck),
}

/// As [`ValueCheck`], with something to remember.
type SharedCheck = Arc<dyn Fn(&str) -> Result<(), Cow<'static, str>> + Send + Sync>;

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check")
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece {
    /// Stands as it is.
    Text(String),
    /// The value of this field stands here.
    Field(String),
}

impl Template {
    /// Reads a template. Every value that goes into it must pass `check`.
    ///
    /// # Errors
    /// A brace without its partner, or an empty placeholder, in words for the user.
    pub fn parse(text: &str, check: ValueCheck) -> Result<Self, Cow<'static, str>> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(Cow::Borrowed("`}` without a `{` before it; write `}}` for a brace that stays"));
            }
            let Some((name, after)) = rest.split_once('}') else {
                return Err(Cow::Borrowed("`{` is never closed; write `{{` for a brace that stays"));
            };
            if name.is_empty() || name.contains('{') {
                return Err(Cow::Owned(format!("`{{{name}}}` names no field")));
            }
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Field(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces, check: Check::Plain(check) })
    }

    /// The same template, with this check instead.
    #[must_use]
    pub fn with_check(
        mut self,
        check: impl Fn(&str) -> Result<(), Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.check = Check::Shared(Arc::new(check));
        self
    }

    /// Can this value stand in the template?
    ///
    /// # Errors
    /// Why not, in one line.
    pub fn check_value(&self, value: &str) -> Result<(), Cow<'static, str>> {
        match &self.check {
            Check::Plain(check) => check(value).map_err(Cow::Borrowed),
            Check::Shared(check) => check(value),
        }
    }

    /// Text and placeholders, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The names of the fields it needs.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The whole text, where it has no placeholder.
    pub fn as_text(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Has `schema` every column that the template names, each of a type that can stand in text?
    ///
    /// # Errors
    /// What is wrong, in words for the user.
    pub fn check(&self, schema: &Schema) -> Result<(), String> {
        for name in self.fields() {
            let field = schema.fields().iter().find(|field| field.name == name);
            match field.map(|field| &field.kind) {
                None => return Err(format!("`{{{name}}}` names no column; {}", schema.suggest(name))),
                Some(kind @ (Type::Binary | Type::List(_) | Type::Struct(_))) => {
                    return Err(format!("`{{{name}}}` is a `{kind}` column, which has no place in text"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Appends the template to `out`; `value` appends the value of a field.
    ///
    /// # Errors
    /// What `value` returns, or [`Reason::Route`] for a value that cannot stand in this place.
    pub fn render(
        &self,
        out: &mut String,
        mut value: impl FnMut(&str, &mut String) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(name) => {
                    let start = out.len();
                    value(name, out)?;
                    self.check_value(&out[start..])
                        .map_err(|why| RecordError::new(Reason::Route, why).with_field(name.as_str()))?;
                }
            }
        }
        Ok(())
    }
}

/// As it was written: [`Template::parse`] reads it again.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Piece::Field(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cow, Template};

    fn render(text: &str) -> Result<String, String> {
        let check = |value: &str| if value.contains('/') { Err("holds `/`") } else { Ok(()) };
        let template = Template::parse(text, check).map_err(Cow::into_owned)?;
        let mut out = String::new();
        template
            .render(&mut out, |name, out| {
                out.push_str(if name == "bad" { "a/b" } else { "pump" });
                Ok(())
            })
            .map_err(|error| error.to_string())?;
        Ok(out)
    }

    #[test]
    fn fields_take_the_place_of_their_names() {
        assert_eq!(render("alerts/{device}/x").unwrap(), "alerts/pump/x");
        assert_eq!(render("{{{device}}}").unwrap(), "{pump}");
        assert_eq!(render("plain").unwrap(), "plain");
    }

    #[test]
    fn a_template_can_be_written_and_read_again() {
        for text in ["alerts/{device}/x", "{{a}}{b}", ""] {
            assert_eq!(Template::parse(text, |_| Ok(())).unwrap().to_string(), text);
        }
        let template = Template::parse("{a}", |_| Ok(())).unwrap().with_check(|_| Err("never".into()));
        assert_eq!(template.check_value("x").unwrap_err(), "never");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(render("a/{bad}").unwrap_err(), "field `bad`: holds `/`");
        assert!(render("a/{device").unwrap_err().contains("never closed"));
        assert!(render("a/device}").unwrap_err().contains("without a `{`"));
        assert_eq!(render("a/{}").unwrap_err(), "`{}` names no field");
    }
}
