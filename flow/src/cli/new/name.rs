//! The name of a new crate: its folder, its package, the ids of its components.

/// Names that a crate cannot have: Rust's words, and what the new crate depends on.
const TAKEN: [&str; 62] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "flow",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "schemars",
    "self",
    "serde",
    "serde-json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tokio",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A name of `a-z`, `0-9` and `-` that begins with a letter.
#[derive(Debug)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let good = |text: &str| {
            let parts = text.split('-').all(|part| !part.is_empty());
            let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            parts && letters && text.starts_with(|first: char| first.is_ascii_lowercase())
        };
        if text.is_empty() {
            return Err("the name is empty; `my-connectors` would be one".to_owned());
        }
        if !good(text) {
            let other = suggestion(text);
            let instead = if good(&other) { format!("; `{other}` would be one") } else { String::new() };
            return Err(format!(
                "`{text}` is no name for a crate: it is made of `a-z`, `0-9` and single `-`, and begins with a letter{instead}"
            ));
        }
        if TAKEN.contains(&text) {
            return Err(format!(
                "`{text}` is taken, by Rust or by a crate that the new one needs; `my-{text}` would do"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// As Rust code names the crate.
    pub(super) fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As its types begin.
    pub(super) fn type_name(&self) -> String {
        let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
        self.0.split('-').map(capital).collect()
    }
}

/// The nearest that could be a name.
fn suggestion(text: &str) -> String {
    let mut name = String::new();
    let mut before = '-';
    for letter in text.chars() {
        // `MyCrate` has two parts.
        if letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
            name.push('-');
        }
        name.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
        before = letter;
    }
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-").trim_start_matches(|first: char| !first.is_ascii_lowercase()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_has_three_forms() {
        let name = Name::parse("acme-telemetry2").unwrap();
        assert_eq!(
            (name.as_str(), name.crate_name().as_str(), name.type_name().as_str()),
            ("acme-telemetry2", "acme_telemetry2", "AcmeTelemetry2")
        );
    }

    #[test]
    fn what_is_no_name_is_said_with_one_that_is() {
        let error = |text: &str| Name::parse(text).unwrap_err();
        assert_eq!(error(""), "the name is empty; `my-connectors` would be one");
        let rule =
            "is no name for a crate: it is made of `a-z`, `0-9` and single `-`, and begins with a letter";
        for (bad, good) in [
            ("MyCrate", "my-crate"),
            ("my_crate", "my-crate"),
            ("7up", "up"),
            ("-a-", "a"),
            ("a--b", "a-b"),
            ("../evil", "evil"),
            ("a/b", "a-b"),
            ("grün", "gr-n"),
        ] {
            assert_eq!(error(bad), format!("`{bad}` {rule}; `{good}` would be one"));
        }
        assert_eq!(error("42"), format!("`42` {rule}"));
        let taken = "is taken, by Rust or by a crate that the new one needs";
        assert_eq!(error("flow"), format!("`flow` {taken}; `my-flow` would do"));
        assert_eq!(error("type"), format!("`type` {taken}; `my-type` would do"));
    }
}
