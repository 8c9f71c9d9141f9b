//! The forms of `speculative_retry`.

/// The usual form of a speculative retry: `ALWAYS`, `NEVER`, `99p`, `50ms`, `MIN(99p,50ms)`; `None` if it
/// is none of these.
pub(crate) fn normalize(text: &str) -> Option<String> {
    let upper = text.trim().to_ascii_uppercase();
    match upper.as_str() {
        "ALWAYS" => return Some("ALWAYS".to_owned()),
        "NEVER" | "NONE" => return Some("NEVER".to_owned()),
        _ => {}
    }
    for function in ["MIN", "MAX"] {
        if let Some(inside) = upper.strip_prefix(function) {
            let inside = inside.trim().strip_prefix('(')?.strip_suffix(')')?;
            let (first, second) = inside.split_once(',')?;
            let (first, second) = (threshold(first)?, threshold(second)?);
            let one_of_each = first.ends_with('p') != second.ends_with('p');
            return one_of_each.then(|| format!("{function}({first},{second})"));
        }
    }
    threshold(&upper)
}

/// A percentile or a number of milliseconds, in upper case.
fn threshold(text: &str) -> Option<String> {
    let text = text.trim();
    let number = |digits: &str| {
        let plain = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        digits.parse::<f64>().ok().filter(|_| plain)
    };
    if let Some(digits) = text
        .strip_suffix("PERCENTILE")
        .or_else(|| text.strip_suffix('P'))
    {
        return number(digits)
            .filter(|percent| *percent <= 100.0)
            .map(|percent| format!("{percent}p"));
    }
    number(text.strip_suffix("MS")?).map(|millis| format!("{millis}ms"))
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("99p", Some("99p")),
            ("99.0PERCENTILE", Some("99p")),
            ("99.9percentile", Some("99.9p")),
            ("50ms", Some("50ms")),
            ("50.00MS", Some("50ms")),
            ("always", Some("ALWAYS")),
            ("NONE", Some("NEVER")),
            ("MIN(99p, 50ms)", Some("MIN(99p,50ms)")),
            ("max(10ms,95p)", Some("MAX(10ms,95p)")),
            ("MIN(99p,98p)", None),
            ("101p", None),
            ("-1ms", None),
            ("1e3ms", None),
            ("50", None),
            ("", None),
            ("p", None),
        ] {
            assert_eq!(normalize(text).as_deref(), expected, "{text}");
        }
    }
}
