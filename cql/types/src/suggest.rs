//! "Did you mean ...?": the known name that a wrong one most likely misspells.

use strsim::osa_distance;

/// Longer words get no suggestion, which bounds the work.
const LENGTH_MAX: usize = 64;

/// The candidate that `word` most likely misspells, if one is close enough.
///
/// Case does not count. A word of three or four letters may have one mistake, one of up to eight letters two, a longer
/// one three; two letters that changed places are one mistake. Of equally close candidates the first wins.
#[must_use]
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = word.chars().count();
    let allowed = match length {
        3..=4 => 1,
        5..=8 => 2,
        9..=LENGTH_MAX => 3,
        _ => return None,
    };
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| (osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = [
            "comment",
            "compaction",
            "compression",
            "gc_grace_seconds",
            "id",
        ];
        for (wrong, meant) in [
            ("coment", Some("comment")),
            ("Compresion", Some("compression")),
            ("gc_grace_secnods", Some("gc_grace_seconds")),
            ("colour", None),
            ("ie", None),
            (&"comment".repeat(10), None),
        ] {
            assert_eq!(did_you_mean(wrong, names), meant, "{wrong}");
        }
        assert_eq!(did_you_mean("naame", ["name1", "name2"]), Some("name1"));
        assert_eq!(did_you_mean("nmae", ["names", "name"]), Some("name"));
    }
}
