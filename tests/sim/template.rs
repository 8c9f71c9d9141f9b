//! Statements whose literals are marked, so that they can be sent as they are, or prepared with values of their own.
//!
//! `a = ‹7›` is `a = 7`, or `a = ?` with the bytes of 7. Marked are ints, times as `‹t5›`, and sets, maps and lists of ints.

/// The text with its literals.
pub(crate) fn literal(text: &str) -> String {
    text.replace(['‹', '›'], "")
        .replace("TIMESTAMP t", "TIMESTAMP ")
}

/// The text with markers, and their values.
pub(crate) fn prepared(text: &str) -> (String, Vec<Vec<u8>>) {
    let mut parts = text.split('‹');
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut values = Vec::new();
    for part in parts {
        let (value, rest) = part.split_once('›').unwrap();
        values.push(bytes(value));
        out.push('?');
        out.push_str(rest);
    }
    (out, values)
}

fn bytes(literal: &str) -> Vec<u8> {
    if let Some(time) = literal.strip_prefix('t') {
        return time.parse::<i64>().unwrap().to_be_bytes().to_vec();
    }
    let int = |text: &str| text.trim().parse::<i32>().unwrap().to_be_bytes();
    let Some(inner) = literal.strip_prefix(['{', '[']) else {
        return int(literal).to_vec();
    };
    let items: Vec<&str> = inner[..inner.len() - 1].split(',').collect();
    let mut out = i32::try_from(items.len()).unwrap().to_be_bytes().to_vec();
    for number in items.iter().flat_map(|item| item.split(':')) {
        out.extend(4_i32.to_be_bytes());
        out.extend(int(number));
    }
    out
}

#[test]
fn a_template_is_a_text_or_markers_and_values() {
    let text = "UPDATE t USING TIMESTAMP ‹t5› SET a = ‹{1: 2}› WHERE pk = ‹-1›";
    assert_eq!(
        literal(text),
        "UPDATE t USING TIMESTAMP 5 SET a = {1: 2} WHERE pk = -1"
    );
    let (text, values) = prepared(text);
    assert_eq!(text, "UPDATE t USING TIMESTAMP ? SET a = ? WHERE pk = ?");
    assert_eq!(values[0], 5_i64.to_be_bytes());
    assert_eq!(values[1].len(), 4 + 2 * 8);
    assert_eq!(values[2], (-1_i32).to_be_bytes());
}
