//! The conformance suite: a check for each clause of the [`contract`](crate::contract).
//!
//! An engine brings a [`Subject`] (how to open it, and which faults it can be given), and gets
//! - tests, by [`backend_conformance!`](crate::backend_conformance): one `#[test]` for each check;
//! - a [`Report`], by [`run`]: printed as text or JSON.
//!
//! Every check gets a fresh subject. A check that needs a [`FaultKind`] which the subject lacks is skipped and says so.

mod bytes;
mod collect;
mod concurrency;
mod durability;
mod errors;
mod ingest;
mod order;
mod report;
mod snapshots;
mod subject;
mod upkeep;
mod whole;

pub use report::{Check, Failure, Outcome, Report, Verdict};
pub use subject::{FaultKind, Faults, Subject, WriteFault};

/// Hands the list of checks to a macro: `name "clauses" function`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_conformance_check {
    ($callback:path, $($arguments:tt)*) => {
        $callback! { $($arguments)* ;
            empty_and_odd_keys "C1" bytes::empty_and_odd_keys,
            longest_keys "C1" bytes::longest_keys,
            large_values "C1" bytes::large_values,
            wrong_lengths_are_refused "C1 C8" bytes::wrong_lengths_are_refused,
            scans_are_ordered "C2" order::scans_are_ordered,
            every_bound_both_ways "C3" order::every_bound_both_ways,
            crossed_bounds_are_empty "C3" order::crossed_bounds_are_empty,
            ranges_agree_with_a_model "C2 C3 C4" order::ranges_agree_with_a_model,
            newest_wins_whole "C4" ingest::newest_wins_whole,
            deletes_hide "C4" ingest::deletes_hide,
            order_is_enforced "C8" ingest::order_is_enforced,
            nothing_shows_before_finish "C9" ingest::nothing_shows_before_finish,
            abort_leaves_nothing "C12" ingest::abort_leaves_nothing,
            one_ingest_at_a_time "C13" ingest::one_ingest_at_a_time,
            empty_ingest_changes_nothing "C9" ingest::empty_ingest_changes_nothing,
            snapshots_stand_still "C5" snapshots::snapshots_stand_still,
            scans_outlive_their_makers "C6" snapshots::scans_outlive_their_makers,
            scan_ends_for_good "C6" snapshots::scan_ends_for_good,
            multi_get_equals_gets "C7" snapshots::multi_get_equals_gets,
            finished_ingests_survive_reopen "C10" durability::finished_ingests_survive_reopen,
            aborted_ingests_leave_no_bytes "C12" durability::aborted_ingests_leave_no_bytes,
            power_loss_keeps_what_finished "C10 C11" durability::power_loss_keeps_what_finished,
            power_loss_in_finish_is_all_or_nothing "C11" durability::power_loss_in_finish_is_all_or_nothing,
            full_disk_ingest_resumes "C14" errors::full_disk_ingest_resumes,
            io_error_ingest_resumes "C14" errors::io_error_ingest_resumes,
            full_disk_compaction_resumes "C15" errors::full_disk_compaction_resumes,
            health_tells "C29" errors::health_tells,
            reads_do_not_wait_for_an_install "C16" concurrency::reads_do_not_wait_for_an_install,
            readers_see_whole_ingests "C9 C17" concurrency::readers_see_whole_ingests,
            compaction_is_invisible "C18" upkeep::compaction_is_invisible,
            compaction_ends "C19" upkeep::compaction_ends,
            compaction_drops_hidden_versions "C18" upkeep::compaction_drops_hidden_versions,
            hooks_run_in_key_order "C20" upkeep::hooks_run_in_key_order,
            hooks_never_resurrect "C21" upkeep::hooks_never_resurrect,
            everything_shows_every_key "C22" upkeep::everything_shows_every_key,
            hooks_do_not_disturb_snapshots "C5 C21" upkeep::hooks_do_not_disturb_snapshots,
            discarded_ranges_come_back "C23" upkeep::discarded_ranges_come_back,
            discard_keeps_the_neighbours "C23" upkeep::discard_keeps_the_neighbours,
            checkpoint_opens_with_its_content "C24" whole::checkpoint_opens_with_its_content,
            checkpoint_wants_an_empty_place "C24" whole::checkpoint_wants_an_empty_place,
            verify_accepts_good_data "C25" whole::verify_accepts_good_data,
            damage_is_found "C25 C26" whole::damage_is_found,
            open_makes_and_locks "C27" whole::open_makes_and_locks,
            close_refuses_and_releases "C28" whole::close_refuses_and_releases,
            statistics_follow_the_data "C30" whole::statistics_follow_the_data,
        }
    };
}

macro_rules! check_list {
    (; $($name:ident $clauses:literal $module:ident :: $function:ident,)*) => {
        /// Every check, in the order of the contract's chapters.
        pub const CHECKS: &[Check] = &[$(
            Check { name: stringify!($name), clauses: $clauses, body: $module::$function },
        )*];
    };
}

crate::for_each_conformance_check!(check_list,);

/// Runs every check, each on a fresh subject.
pub fn run(make: &dyn Fn() -> Box<dyn Subject>) -> Report {
    let engine = make().factory().name().to_owned();
    Report {
        engine,
        outcomes: CHECKS.iter().map(|check| check.run(make)).collect(),
    }
}

/// Runs one check as a test.
///
/// # Panics
/// When the check fails.
#[doc(hidden)]
pub fn run_as_test(name: &str, make: &dyn Fn() -> Box<dyn Subject>) {
    let outcome = CHECKS
        .iter()
        .find(|check| check.name == name)
        .map(|check| check.run(make));
    match outcome {
        Some(Outcome {
            clauses,
            verdict: Verdict::Failed { reason },
            ..
        }) => {
            panic!("{clauses}: {reason}");
        }
        Some(_) => {}
        None => panic!("there is no check {name}"),
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr ; $($name:ident $clauses:literal $module:ident :: $function:ident,)*) => {$(
        #[doc = concat!("Clause ", $clauses, " of the storage contract.")]
        #[test]
        fn $name() {
            $crate::conformance::run_as_test(stringify!($name), &|| {
                ::std::boxed::Box::new($make) as ::std::boxed::Box<dyn $crate::conformance::Subject>
            });
        }
    )*};
}

/// Makes every conformance check a test of this module.
///
/// The argument is an expression that makes a fresh [`Subject`](crate::conformance::Subject):
///
/// ```text
/// backend::backend_conformance!(MySubject::new());
/// ```
#[macro_export]
macro_rules! backend_conformance {
    ($make:expr) => {
        $crate::for_each_conformance_check!($crate::conformance_tests, $make);
    };
}
