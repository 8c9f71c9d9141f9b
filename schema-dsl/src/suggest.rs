//! "Did you mean": the closest of a few known words.

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
                distance(&word.to_lowercase(), &candidate.to_lowercase()),
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

/// How many insertions, deletions, replacements and swaps of neighbours lead from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_char = None;
    for (row, ca) in a.chars().enumerate() {
        let mut current = Vec::with_capacity(last.len());
        current.push(row + 1);
        for (column, cb) in b.iter().enumerate() {
            let at =
                |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column) + usize::from(ca != *cb);
            let mut best = replaced
                .min(at(&last, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped =
                column > 0 && previous_char == Some(*cb) && b.get(column - 1) == Some(&ca);
            if swapped {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_char = Some(ca);
    }
    last.last().copied().unwrap_or(0)
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
