//! Names: what the writer of CQL text leaves without quotes, the parser reads as that name.

#[test]
fn writer_and_parser_agree_on_reserved_words() {
    assert!(cql_syntax::reserved_words().eq(cql_types::RESERVED_WORDS));
    for name in [
        "p1d",
        "p1y2m3dt4h5m6s",
        "pt5s",
        "p2w",
        "pt",
        "p_1",
        "select",
        "key",
    ] {
        let is_bare = cql_types::quoted(name) == name;
        assert_eq!(is_bare, cql_syntax::is_plain_name(name), "{name}");
    }
}
