//! Requests for what is not there: what may have been meant.

use cql_types::did_you_mean;

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

/// Paths of the table that may have been meant: what was asked for, with its parts corrected one by one from the left.
fn near(path: &str) -> Vec<&'static str> {
    let mut asked: Vec<&str> = parts(path).collect();
    let mut corrections = 0..asked.len();
    loop {
        // How many parts from the left are right, at best.
        let right = listing::all()
            .map(|endpoint| agreeing(endpoint.path, &asked))
            .max()
            .unwrap_or(0);
        let siblings = || {
            listing::all()
                .map(|endpoint| endpoint.path)
                .filter(|path| agreeing(path, &asked) == right)
        };
        let next_parts = siblings().filter_map(|path| parts(path).nth(right));
        let meant = asked
            .get(right)
            .and_then(|wrong| did_you_mean(wrong, next_parts));
        if let (Some(meant), Some(_)) = (meant, corrections.next()) {
            if let Some(wrong) = asked.get_mut(right) {
                *wrong = meant;
            }
            continue;
        }
        let mut found: Vec<&str> = siblings().filter(|_| right > 0).collect();
        // Right to the end: shorter paths come first, the one that was meant if it exists.
        found.sort_by_key(|path| parts(path).count());
        found.dedup();
        if found
            .first()
            .is_some_and(|path| parts(path).count() == asked.len() && right == asked.len())
        {
            found.retain(|path| parts(path).count() == asked.len());
        }
        found.truncate(SUGGESTIONS_MAX);
        return found;
    }
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
