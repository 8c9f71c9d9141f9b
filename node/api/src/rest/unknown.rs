//! Requests for what is not there: what may have been meant.

use cql_syntax::did_you_mean;

use super::listing;
use crate::error::ApiError;

/// Suggestions in an error.
const SUGGESTIONS_MAX: usize = 8;

/// 404, with the paths that are close.
pub(crate) fn path(path: &str) -> ApiError {
    let near = near(path);
    let cure = if near.is_empty() {
        "see /api-doc/ for what there is".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    ApiError::not_found(format!("nothing is at {path}; {cure}"))
}

/// 405, with the methods that there are.
pub(crate) fn method(method: &str, path: &str) -> ApiError {
    let mut methods: Vec<&str> = listing::all()
        .filter(|endpoint| matches(endpoint.path, path))
        .map(|endpoint| endpoint.method.word())
        .collect();
    methods.dedup();
    ApiError::wrong_method(format!(
        "{path} takes {}, not {method}",
        methods.join(" and ")
    ))
}

/// Paths of the table which differ from the one asked for in one part, the more alike the better.
fn near(path: &str) -> Vec<&'static str> {
    let asked: Vec<&str> = parts(path).collect();
    // How many parts from the left are right, at best.
    let right = listing::all()
        .map(|endpoint| agreeing(endpoint.path, &asked))
        .max()
        .unwrap_or(0);
    let siblings: Vec<&'static str> = listing::all()
        .filter(|endpoint| agreeing(endpoint.path, &asked) == right)
        .map(|endpoint| endpoint.path)
        .collect();
    let part = |path: &'static str| parts(path).nth(right).unwrap_or_default();
    let wrong = asked.get(right).copied().unwrap_or_default();
    let meant = did_you_mean(wrong, siblings.iter().map(|path| part(path)));
    let mut found: Vec<&'static str> = match meant {
        Some(meant) => siblings
            .into_iter()
            .filter(|path| part(path) == meant)
            .collect(),
        None if right > 0 => siblings,
        None => Vec::new(),
    };
    found.dedup();
    found.truncate(SUGGESTIONS_MAX);
    found
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

/// How many parts from the left a path of the table has in common with the one asked for.
fn agreeing(path: &'static str, asked: &[&str]) -> usize {
    parts(path)
        .zip(asked)
        .take_while(|(part, asked)| is_variable(part) || part == *asked)
        .count()
}

fn matches(path: &'static str, asked: &str) -> bool {
    let asked: Vec<&str> = parts(asked).collect();
    parts(path).count() == asked.len() && agreeing(path, &asked) == asked.len()
}
