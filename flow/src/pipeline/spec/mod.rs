//! What the user wrote: TOML or JSON as a tree that knows the line of every value, with the environment put in.

mod env;
mod json;
mod layout;
mod toml;
mod tree;

use std::path::Path;

use crate::pipeline::problem::{Problem, Problems};

pub(crate) use env::Environment;
pub(crate) use layout::{Batch, OnError, Part, Sink, Spec};
pub(crate) use tree::{Node, Tree, dotted};

/// Reads a pipeline file's text. The name's ending decides the language: `.json` is JSON, all else TOML.
pub(crate) fn parse(file: &Path, text: &str, environment: Environment<'_>) -> Result<Spec, Problems> {
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let parsed = if is_json { json::parse(text) } else { toml::parse(text) };
    let mut root = parsed.map_err(|errors| Problems::new(file, syntax(text, is_json, errors)))?;
    let mut problems = Vec::new();
    let secrets = env::substitute(&mut root, text, environment, &mut problems);
    let tree = Tree::new(file, text, root, secrets);
    match layout::read(&tree, &mut problems) {
        Some(spec) if problems.is_empty() => Ok(spec),
        // A file whose layout can be read goes on to the plan, which finds the problems of its parts as well.
        Some(mut spec) => {
            spec.problems = problems;
            Ok(spec)
        }
        None => Err(Problems::new(file, problems)),
    }
}

/// Syntax errors as problems: the first ones, since one mistake often makes many.
fn syntax(text: &str, is_json: bool, errors: Vec<(usize, String)>) -> Vec<Problem> {
    const ENOUGH: usize = 10;
    let problem = |line, message| Problem { line, key: String::new(), message };
    if !is_json && text.trim_start().starts_with('{') {
        return vec![problem(
            1,
            "this looks like JSON, and the name says TOML: let it end in `.json`".to_owned(),
        )];
    }
    let more = errors.len().saturating_sub(ENOUGH);
    let shown = errors.into_iter().take(ENOUGH);
    let mut problems: Vec<Problem> =
        shown.map(|(offset, message)| problem(tree::line_of(text, offset), message)).collect();
    if more > 0 {
        problems.push(problem(0, format!("and {more} more syntax errors")));
    }
    problems
}
