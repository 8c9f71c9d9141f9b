//! Did you mean …?

use strsim::osa_distance;

/// The name closest to a mistyped one, if any is close.
pub(crate) fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wrong.len() / 4).clamp(1, 4);
    let scored = names.map(|name| (osa_distance(wrong, name), name));
    scored
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_close_names_are_proposed() {
        let names = || ["native_transport_port", "api_port", "smp"].into_iter();
        assert_eq!(
            closest("native_transprt_prot", names()),
            Some("native_transport_port")
        );
        assert_eq!(closest("spm", names()), Some("smp"));
        assert_eq!(closest("something_else", names()), None);
    }
}
