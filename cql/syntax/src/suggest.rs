//! "Did you mean ...?"

/// Words longer than this get no suggestion, which bounds the work.
const LENGTH_MAX: usize = 64;

/// The candidate that `word` most likely misspells, if one is close enough.
///
/// Case does not count. A word of three or four letters may have one mistake, a longer one two, a very long one three; two letters that changed places are one mistake.
/// Of equally close candidates the first wins.
#[must_use]
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = word.chars().count();
    let allowed = match length {
        0..=2 => return None,
        3..=4 => 1,
        5..=8 => 2,
        9..=LENGTH_MAX => 3,
        _ => return None,
    };
    let word: Vec<char> = word.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.chars().map(|c| c.to_ascii_lowercase()).collect();
        if other.len().abs_diff(length) > allowed {
            continue;
        }
        let distance = distance(&word, &other);
        if distance <= allowed && best.is_none_or(|(closest, _)| distance < closest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous: Option<char> = None;
    for (row, &left) in a.iter().enumerate() {
        let mut current = Vec::with_capacity(b.len() + 1);
        current.push(row + 1);
        for (column, &right) in b.iter().enumerate() {
            let replace = at(&above, column) + usize::from(left != right);
            let mut cost = replace
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped = column
                .checked_sub(1)
                .filter(|earlier| previous == Some(right) && b.get(*earlier) == Some(&left));
            if let Some(earlier) = swapped {
                cost = cost.min(at(&before, earlier) + 1);
            }
            current.push(cost);
        }
        previous = Some(left);
        before = std::mem::replace(&mut above, current);
    }
    at(&above, b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_found() {
        let keywords = ["FROM", "WHERE", "SELECT", "AS", "VALUES", "CLUSTERING"];
        for (word, meant) in [
            ("form", Some("FROM")),
            ("FORM", Some("FROM")),
            ("were", Some("WHERE")),
            ("slect", Some("SELECT")),
            ("valeus", Some("VALUES")),
            ("clsutring", Some("CLUSTERING")),
            ("a", None),
            ("as", None),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(word, keywords), meant, "{word}");
        }
    }

    #[test]
    fn the_closest_wins_then_the_first() {
        assert_eq!(did_you_mean("nmae", ["names", "name"]), Some("name"));
        assert_eq!(did_you_mean("naame", ["name1", "name2"]), Some("name1"));
    }
}
