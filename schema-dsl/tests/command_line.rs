//! The command line as a user meets it.

#![expect(clippy::unwrap_used, reason = "tests")]

use schema_dsl::cli::{Outcome, run};

fn data(path: &str) -> String {
    format!("{}/testdata/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Outcome, standard output, standard error.
fn command(arguments: &[&str]) -> (Outcome, String, String) {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|&argument| argument.to_owned())
        .collect();
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    let outcome = run(&arguments, &mut out, &mut problems).unwrap();
    (
        outcome,
        String::from_utf8(out).unwrap(),
        String::from_utf8(problems).unwrap(),
    )
}

#[test]
fn check_prints_everything_that_is_wrong_in_all_files() {
    let (outcome, _, problems) = command(&["check", &data("check")]);
    assert_eq!(outcome, Outcome::Found);
    for file in ["codegen", "names", "syntax", "tables", "types"] {
        assert!(
            file == "codegen" || problems.contains(&format!("{file}.tables:")),
            "{file}"
        );
    }
    let (outcome, out, problems) = command(&["check", "--ids", &data("generate/tablets.tables")]);
    assert_eq!((outcome, problems.as_str()), (Outcome::Fine, ""));
    assert!(
        out.starts_with("fd4f7a46-96bd-3e73-91bf-99eb77e82a5c system.tablets\n"),
        "{out}"
    );
}

#[test]
fn fmt_says_what_is_not_in_layout() {
    let (outcome, out, _) = command(&["fmt", "--check", &data("fmt/comments.tables")]);
    assert_eq!(outcome, Outcome::Found);
    assert!(out.contains("is not formatted"), "{out}");
    let (outcome, out, _) = command(&["fmt", "--check", &data("generate")]);
    assert_eq!((outcome, out.as_str()), (Outcome::Fine, ""));
}

#[test]
fn outputs_are_printed_only_without_errors() {
    for name in ["doc", "cql", "graph", "rust"] {
        let (outcome, out, _) = command(&[name, &data("generate/tablets.tables")]);
        assert_eq!(outcome, Outcome::Fine);
        assert!(out.contains("tablets"), "{name}");
        let (outcome, out, problems) = command(&[name, &data("check/names.tables")]);
        assert_eq!((outcome, out.as_str()), (Outcome::Found, ""));
        assert!(problems.contains("error[S0101]"));
    }
}

#[test]
fn breaking_compares_by_level() {
    let (old, new) = (
        data("breaking/wire_api_doc/old.tables"),
        data("breaking/wire_api_doc/new.tables"),
    );
    let errors = |level: &str| {
        let (outcome, _, problems) =
            command(&["breaking", "--against", &old, "--level", level, &new]);
        (outcome, problems.matches("error[").count())
    };
    assert_eq!(errors("disk"), (Outcome::Fine, 0));
    assert_eq!(errors("wire"), (Outcome::Found, 4));
    assert_eq!(errors("api").1, 10);
    assert_eq!(errors("doc").1, 12);
    let (outcome, out, _) = command(&["breaking", "--against", &old, &old]);
    assert_eq!((outcome, out.as_str()), (Outcome::Fine, "nothing breaks\n"));
}

#[test]
fn explain_knows_every_code() {
    for code in schema_dsl::codes::ALL {
        let (outcome, out, _) = command(&["explain", code.id]);
        assert_eq!(outcome, Outcome::Fine);
        assert!(out.lines().count() >= 3, "{out}");
    }
    let (outcome, _, problems) = command(&["explain", "S0170"]);
    assert_eq!(outcome, Outcome::Impossible);
    assert!(problems.contains("did you mean"), "{problems}");
}

#[test]
fn a_wrong_command_line_says_what_is_wrong() {
    let wrong = |arguments: &[&str]| {
        let (outcome, _, problems) = command(arguments);
        assert_eq!(outcome, Outcome::Impossible, "{arguments:?}");
        problems.lines().next().unwrap_or("").to_owned()
    };
    assert_eq!(
        wrong(&["chekc", "x"]),
        "error: there is no command `chekc`; did you mean `check`?"
    );
    assert_eq!(wrong(&["check"]), "error: `check` needs a file or a folder");
    assert_eq!(
        wrong(&["check", "--fast", "x"]),
        "error: `check` has no option `--fast`"
    );
    assert_eq!(
        wrong(&["breaking", "x"]),
        "error: `breaking` needs `--against` with the old tables"
    );
    assert_eq!(
        wrong(&["breaking", "--against", "x", "--level", "all", "y"]),
        "error: there is no level `all`; levels are disk, wire, api and doc"
    );
    assert!(wrong(&[]).starts_with("schema-dsl: a compiler"));
    let (outcome, _, problems) = command(&["check", &data("nowhere")]);
    assert_eq!(outcome, Outcome::Found);
    assert!(problems.contains("error[S0009]"), "{problems}");
}

#[test]
fn describe_output_becomes_tables() {
    let (outcome, out, problems) = command(&["import", &data("import/describe.cql")]);
    assert_eq!(outcome, Outcome::Fine, "{problems}");
    let expected = data("import/describe.tables");
    assert_eq!(out, std::fs::read_to_string(expected).unwrap());
    for left_out in ["CREATE INDEX", "read_repair", "CREATE FUNCTION"] {
        let word = left_out.split(' ').next_back().unwrap().to_lowercase();
        assert!(
            problems.to_lowercase().contains(&word),
            "{left_out}: {problems}"
        );
    }
}
