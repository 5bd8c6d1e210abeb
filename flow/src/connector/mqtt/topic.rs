//! What may stand in a topic name, a topic filter and a level of either (MQTT 3.1.1 and 5, section 4.7).

/// The longest topic that fits its two-byte length, in bytes.
pub(crate) const MAX_BYTES: usize = 65_535;

/// Checks a topic that is published to.
pub(crate) fn check_name(topic: &str) -> Result<(), &'static str> {
    if topic.is_empty() {
        return Err("a topic cannot be empty");
    }
    if topic.len() > MAX_BYTES {
        return Err("a topic cannot be longer than 65535 bytes");
    }
    check_text(topic)
}

/// Checks a constant piece of a topic that is published to.
pub(crate) fn check_text(text: &str) -> Result<(), &'static str> {
    if text.contains(['+', '#']) {
        return Err("a topic that is published to cannot hold the wildcards `+` and `#`");
    }
    check_characters(text)
}

/// Checks for characters that a broker may take for a malformed packet, in topics and in every other text that is sent
/// (MQTT 3.1.1 and 5, section 1.5.3 and 1.5.4): it would end the connection each time that the packet is sent again.
pub(crate) fn check_characters(text: &str) -> Result<(), &'static str> {
    let refused =
        |c: char| c.is_control() || matches!(c, '\u{fdd0}'..='\u{fdef}') || c as u32 & 0xfffe == 0xfffe;
    if text.contains(refused) {
        return Err(
            "text in MQTT cannot hold control characters (U+0000 to U+001F, U+007F to U+009F) or non-characters",
        );
    }
    Ok(())
}

/// Checks a record's value that takes a place inside one level of a topic.
pub(crate) fn check_value(value: &str) -> Result<(), &'static str> {
    if value.is_empty() {
        return Err("an empty value cannot stand in a topic");
    }
    if value.contains(['/', '+', '#']) {
        return Err("a value that holds `/`, `+` or `#` cannot stand in a topic");
    }
    check_characters(value)
}

/// Checks a filter that is subscribed to, with wildcards or as `$share/group/filter`.
pub(crate) fn check_filter(filter: &str) -> Result<(), &'static str> {
    if filter.len() > MAX_BYTES {
        return Err("a topic filter cannot be longer than 65535 bytes");
    }
    check_characters(filter)?;
    let filter = match filter.strip_prefix("$share/") {
        None => filter,
        Some(shared) => {
            let (group, filter) =
                shared.split_once('/').ok_or("a shared filter is written `$share/group/filter`")?;
            if group.is_empty() || group.contains(['+', '#']) {
                return Err("the group of a shared filter cannot be empty or hold a wildcard");
            }
            filter
        }
    };
    if filter.is_empty() {
        return Err("a topic filter cannot be empty");
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.len() > 1 && level.contains(['+', '#']) {
            return Err("a wildcard fills a whole level: `a/+/b`, `a/#`");
        }
        if level == "#" && levels.peek().is_some() {
            return Err("`#` can only be the last level");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check_filter, check_name, check_text, check_value};

    #[test]
    fn filters_follow_the_book() {
        for good in ["a", "/", "a/b", "+", "#", "a/+/b", "a/#", "+/+", "/a", "$share/g/a/#", "$SYS/#", "ä/{}"]
        {
            assert_eq!(check_filter(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a#",
            "a/#/b",
            "#/a",
            "a+/b",
            "a/++",
            "$share/g",
            "$share//a",
            "$share/g+/a",
            "$share/g/",
            "a\0",
        ] {
            assert!(check_filter(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_and_values_hold_no_wildcards() {
        assert_eq!(check_name("a/b"), Ok(()));
        assert_eq!(check_text(""), Ok(()));
        assert_eq!(check_value("pump 7"), Ok(()));
        for bad in ["", "a/+", "#", "a\0", "a\n", "\u{7f}", "\u{85}", "\u{fdd0}", "\u{ffff}", "\u{1fffe}"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        assert!(check_name(&"a".repeat(65_536)).is_err());
        for bad in ["", "a/b", "+", "#", "\0", "a\nb"] {
            assert!(check_value(bad).is_err(), "{bad:?}");
        }
    }
}
