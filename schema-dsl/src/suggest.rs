//! "Did you mean": the closest of a few known words.

use strsim::osa_distance;

/// The candidate nearest to `word`, if it is near enough to be a typo of it.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count() / 3 + 1;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| {
            // Of two equally near words the one with the same first letter is likelier.
            let other_start = word.chars().next() != candidate.chars().next();
            (
                osa_distance(&word.to_lowercase(), &candidate.to_lowercase()),
                other_start,
                candidate,
            )
        })
        .filter(|(distance, _, candidate)| {
            *distance <= limit && *distance < candidate.chars().count()
        })
        .min()
        .map(|(_, _, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typos_and_refuses_strangers() {
        let words = ["partition", "clustering", "static", "column"];
        assert_eq!(closest("partiton", words), Some("partition"));
        assert_eq!(closest("colunm", words), Some("column"));
        assert_eq!(closest("Static", words), Some("static"));
        assert_eq!(closest("zebra", words), None);
        assert_eq!(closest("x", ["y"]), None);
    }
}
