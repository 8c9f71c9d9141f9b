//! The house rules that no compiler checks: which crate may know which, how long a file may be, which words and calls are banned, who has a module doc.
//!
//! Each rule is a function from the tree to a list of findings; a finding names the file, the line and the cure.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod edges;
mod source;
mod tree;

use tree::Tree;

/// Fails with every finding of a rule, one a line.
fn check(rule: impl Fn(&Tree) -> Vec<String>) {
    let findings = rule(&Tree::load());
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn crates_use_only_what_the_architecture_allows() {
    check(edges::forbidden_edges);
}

#[test]
fn outside_crates_stay_behind_one_door() {
    check(edges::leaked_libraries);
}

#[test]
fn every_outside_dependency_is_versioned_once() {
    check(edges::unshared_versions);
}

#[test]
fn the_top_level_is_the_agreed_one() {
    check(tree::foreign_top_level);
}

#[test]
fn files_are_short() {
    check(source::long_files);
}

#[test]
fn functions_are_short() {
    check(source::long_functions);
}

#[test]
fn every_file_says_what_it_is() {
    check(source::missing_module_docs);
}

#[test]
fn banned_words_are_absent() {
    check(source::banned_words);
}

#[test]
fn the_outside_world_enters_by_the_seams() {
    check(source::banned_calls);
}

#[test]
fn system_tables_are_touched_through_accessors() {
    check(source::spelled_system_tables);
}

#[test]
fn no_test_is_switched_off() {
    check(source::ignored_tests);
}
