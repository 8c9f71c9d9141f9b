//! What options mean, where they come from and which are refused.

use std::io;
use std::path::Path;

use rstest::rstest;

use crate::*;

const MACHINE: Machine = Machine {
    processors: 2,
    memory: Bytes(4 << 30),
};

/// Loads with a file's text, variables and flags.
fn loaded(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> Result<Loaded, ConfigError> {
    let mut arguments = vec!["messina".into()];
    if !file.is_empty() {
        arguments.extend(["--options-file".into(), "m.yaml".into()]);
    }
    arguments.extend(flags.iter().map(Into::into));
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    load(Sources {
        arguments,
        environment: environment.collect(),
        read_file: &|path| {
            assert_eq!(path, Path::new("m.yaml"));
            Ok(file.to_owned())
        },
        machine: MACHINE,
    })
}

fn config(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> Config {
    match loaded(file, environment, flags).unwrap() {
        Loaded::Run(config) => *config,
        Loaded::Print(text) => panic!("{text}"),
    }
}

fn problem(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> String {
    loaded(file, environment, flags).unwrap_err().to_string()
}

#[test]
fn no_argument_at_all_must_do() {
    let config = config("", &[], &[]);
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!((config.shards(), config.memory()), (2, Bytes(1 << 30)));
    assert_eq!(
        config.commitlog_directory(),
        Path::new("./messina-data/commitlog")
    );
    assert_eq!(
        config.api().unwrap().to_owned(),
        ("127.0.0.1".parse().unwrap(), 10000)
    );
    assert_eq!(config.options.native_transport_port, 9042);
    assert_eq!(config.shard_aware_port(), Some(19042));
    assert_eq!(config.source("smp"), Source::Default);
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = "native_transport_port: 1\napi_port: 1\nprometheus_port: 1111\n";
    let environment = [
        ("MESSINA_NATIVE_TRANSPORT_PORT", "2"),
        ("MESSINA_API_PORT", "22"),
        ("HOME", "/"),
    ];
    let config = config(file, &environment, &["--native-transport-port", "3"]);
    assert_eq!(config.options.native_transport_port, 3);
    assert_eq!(
        config.source("native_transport_port").to_string(),
        "the flag --native-transport-port"
    );
    assert_eq!(
        config.source("api_port").to_string(),
        "the environment variable MESSINA_API_PORT"
    );
    assert_eq!(config.source("prometheus_port").to_string(), "m.yaml:3");
    let row = config
        .rows()
        .into_iter()
        .find(|row| row.name == "api_port")
        .unwrap();
    assert_eq!((row.source, row.value.as_str()), ("env", "22"));
}

#[rstest]
#[case::a_directory_list("data_file_directories:\n  - /d\n", "data_file_directories", "/d")]
#[case::nested_seeds(
    "seed_provider:\n  - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n    parameters:\n      - seeds: \"127.0.0.1:7000\"\n",
    "seeds",
    "127.0.0.1"
)]
#[case::a_class_with_package(
    "partitioner: org.apache.cassandra.dht.Murmur3Partitioner",
    "partitioner",
    "Murmur3Partitioner"
)]
#[case::nothing("cluster_name:\n", "cluster_name", "Messina")]
#[case::a_number_as_name("cluster_name: 7\n", "cluster_name", "7")]
#[case::a_unit("memory: 1.5G\n", "memory", "1536MB")]
#[case::a_quoted_number("api_port: '10001'\n", "api_port", "10001")]
#[case::localhost("rpc_address: localhost\n", "rpc_address", "127.0.0.1")]
fn the_file_takes(#[case] file: &str, #[case] name: &str, #[case] value: &str) {
    assert_eq!(config(file, &[], &[]).value(name).unwrap(), value);
}

#[rstest]
#[case::unknown("native_transprt_port: 1", &[], "m.yaml:1): there is no such option; did you mean `native_transport_port`?")]
#[case::nonsense("xyzzy: 1", &[], "xyzzy = 1 (from m.yaml:1): there is no such option")]
#[case::no_number("api_port: many", &[], "api_port = many (from m.yaml:1): a whole number from 0 to 65535 is needed")]
#[case::out_of_range("native_transport_port: 0", &[], "it must be from 1 to 65535")]
#[case::a_list("api_port: [1]", &[], "a NUMBER is needed, not a list")]
#[case::too_little_memory("", &["--memory", "10MB"], "memory = 10MB (from the flag --memory): it must be from 67108864")]
#[case::no_login("authenticator: PasswordAuthenticator", &[], "logins are not supported yet")]
#[case::encryption("client_encryption_options:\n  enabled: true\n", &[], "encryption of client connections is not supported yet")]
#[case::other_seeds("seeds: 10.0.0.1", &[], "only its own address can be a seed")]
#[case::two_directories("data_file_directories: [/a, /b]", &[], "one directory is supported, not 2")]
#[case::one_port("", &["--api-port", "9042"], "native_transport_port is the same: choose another")]
#[case::everywhere("rpc_address: 0.0.0.0", &[], "set broadcast_rpc_address")]
#[case::thresholds("tombstone_warn_threshold: 200000", &[], "must not be above tombstone_failure_threshold")]
#[case::small_segments("commitlog_segment_size_in_mb: 1", &[], "a batch must fit into half a segment")]
#[case::an_unknown_flag("", &["--native-transport-prt", "1"], "--native-transport-port")]
#[case::a_flag_not_served("", &["--replace-address", "1.2.3.4"], "a cluster has one node for now")]
#[case::no_yaml("a: [", &[], "cannot use the options file m.yaml")]
fn mistakes_are_explained(#[case] file: &str, #[case] flags: &[&str], #[case] expected: &str) {
    let text = problem(file, &[], flags);
    assert!(text.contains(expected), "{text}");
}

#[test]
fn all_problems_are_told_at_once() {
    let text = problem(
        "api_port: x\nsmp: 0\n",
        &[("MESSINA_DC", "dc"), ("MESSINA_MEMORY", "lots")],
        &[],
    );
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn a_missing_file_is_named() {
    let error = load(Sources {
        arguments: vec!["messina".into(), "--config".into(), "nowhere.yaml".into()],
        environment: Vec::new(),
        read_file: &|_| Err(io::Error::from(io::ErrorKind::NotFound)),
        machine: MACHINE,
    })
    .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot use the options file nowhere.yaml"),
        "{error}"
    );
}

#[test]
fn what_is_not_served_is_ignored_with_a_warning() {
    let file = "hinted_handoff_enabled: true\nclient_encryption_options: {enabled: false}\ncommitlog_sync: periodic\n";
    let flags = ["--developer-mode", "1", "--overprovisioned", "--smp", "4"];
    let config = config(file, &[("MESSINA_API_PROT", "1")], &flags);
    let expected = [
        "hinted_handoff_enabled (from m.yaml:1) is not supported yet and is ignored",
        "client_encryption_options (from m.yaml:2) is not supported yet and is ignored",
        "the environment variable MESSINA_API_PROT is no option and is ignored; did you mean MESSINA_API_PORT?",
        "developer_mode (from the flag --developer-mode) is not supported yet and is ignored",
        "overprovisioned (from the flag --overprovisioned) is not supported yet and is ignored",
        "commitlog_sync is periodic: up to 10000 ms of acknowledged writes are lost when the machine fails",
        "smp is 4 on 2 processors: shards will wait for each other",
    ];
    assert_eq!(config.warnings, expected);
}

#[test]
fn nodes_on_their_own_addresses_do_not_disturb_each_other() {
    let flags = [
        "--listen-address",
        "127.0.0.2",
        "--rpc-address",
        "127.0.0.2",
    ];
    let config = config("", &[], &flags);
    let address = "127.0.0.2".parse().unwrap();
    assert_eq!(
        (config.api().unwrap().0, config.prometheus().unwrap().0),
        (address, address)
    );
    assert_eq!(config.broadcast_rpc_address(), address);
}

#[test]
fn help_is_made_from_the_table() {
    let Loaded::Print(help) = loaded("", &[], &["--help"]).unwrap() else {
        panic!("help was asked for")
    };
    for spec in TABLE {
        assert!(
            help.contains(&format!("--{} ", spec.flag())),
            "{}",
            spec.name
        );
    }
    assert!(!help.contains("developer"), "what is not served is hidden");
    let Loaded::Print(version) = loaded("", &[], &["--version"]).unwrap() else {
        panic!("the version was asked for")
    };
    assert!(version.starts_with("messina "));
}

#[test]
fn the_table_is_in_order() {
    let mut names: Vec<&str> = TABLE.iter().map(|spec| spec.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
    for spec in TABLE {
        assert!(spec.doc.trim_end().ends_with('.'), "{}", spec.name);
        assert!(
            !unserved::names().any(|other| other == spec.name),
            "{} is served",
            spec.name
        );
        // Every default passes its own check.
        let default = spec.default_text();
        if !default.is_empty() {
            let taken = (spec.set)(&mut Options::default(), options::Given::Text(&default));
            assert!(taken.is_ok(), "{} {taken:?}", spec.name);
        }
    }
}

#[test]
fn the_page_on_options_is_complete() {
    let page = options_markdown();
    for spec in TABLE {
        assert!(page.contains(&format!("### `{}`", spec.name)));
    }
    assert!(
        page.contains("Default `5000`, 1 to 3600000, live; `--read-request-timeout-in-ms NUMBER`"),
        "{page}"
    );
}

/// The page in `docs/`; run with `MESSINA_BLESS=1` to write it anew.
#[test]
fn the_page_on_options_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/options.md");
    if std::env::var_os("MESSINA_BLESS").is_some() {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test may write a page of the documentation"
        )]
        std::fs::write(path, options_markdown()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), options_markdown());
}

#[test]
fn only_live_options_change_in_a_running_node() {
    let now = config("", &[], &[]);
    let new = config("read_request_timeout_in_ms: 7\napi_port: 7\n", &[], &[]);
    let changes = now.changes_to(&new);
    let names: Vec<(&str, Live)> = changes
        .iter()
        .map(|change| (change.name, change.live))
        .collect();
    assert_eq!(
        names,
        [
            ("api_port", Live::AtStart),
            ("read_request_timeout_in_ms", Live::Yes)
        ]
    );
    let then = now.with_live_changes(&new).unwrap();
    assert_eq!(
        (
            then.options.read_request_timeout_in_ms,
            then.options.api_port
        ),
        (7, 10000)
    );
    assert_eq!(then.source("read_request_timeout_in_ms").word(), "yaml");
}

#[rstest]
#[case("64MB", "64MB")]
#[case("64 MiB", "64MB")]
#[case("65536k", "64MB")]
#[case("2g", "2GB")]
#[case("123456789", "123456789")]
fn sizes_have_units(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(
        config("", &[], &["--memory", text]).memory().to_string(),
        expected
    );
}
