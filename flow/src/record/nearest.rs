//! The word that was probably meant.

/// The one of `known` that is closest to `word`, where one is close enough to be a slip of the pen.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `; did you mean ...?` with the nearest of `known`, and all of them: the second half of a message about a name
/// that is not there.
pub(crate) fn known_names<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let all: Vec<String> = known.clone().into_iter().map(|name| format!("`{name}`")).collect();
    let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    match nearest(word, known) {
        Some(name) => format!("did you mean `{name}`? (known: {all})"),
        None => format!("known: {all}"),
    }
}

/// What to say about a key that is not known: the nearest of `known`, or all of them where none is near.
pub(crate) fn unknown_key<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(name) => format!("unknown key; did you mean `{name}`?"),
        None => format!("unknown key ({})", known_names(word, known)),
    }
}

#[cfg(test)]
mod tests {
    use super::{known_names, nearest};

    #[test]
    fn a_slip_of_the_pen_is_found_and_a_stranger_is_not() {
        assert_eq!(nearest("flaot64", ["float32", "float64"]), Some("float64"));
        assert_eq!(nearest("Topic", ["topic"]), Some("topic"));
        assert_eq!(nearest("x", ["topic"]), None);
        assert_eq!(known_names("bol", ["bool", "int8"]), "did you mean `bool`? (known: `bool`, `int8`)");
        assert_eq!(known_names("x", []), "known: none");
    }
}
