//! "Did you mean ...?" for the words of the language.

use strsim::osa_distance;

/// The keyword that `word` most likely misspells: one mistake in up to four letters, two in a longer word. Case does not
/// count, two letters that changed places are one mistake, and of equally close keywords the first wins.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    keywords: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = match word.len() {
        3..=4 => 1,
        5..=32 => 2,
        // Too short to tell, or longer than any keyword.
        _ => return None,
    };
    let word = word.to_lowercase();
    let distances = keywords
        .into_iter()
        .map(|keyword| (osa_distance(&word, &keyword.to_lowercase()), keyword));
    let (_, keyword) = distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)?;
    Some(keyword)
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
