//! The contract between an engine and its caller, as numbered clauses.
//!
//! A clause number never changes its meaning; a clause that falls away leaves a gap.
//! The conformance suite names the clause that each check proves.
//!
//! # The map
//!
//! - **C1 bytes**: keys have 1 to 65,535 bytes, values 0 to 256 MiB, all of any content, and come back unchanged.
//! - **C2 order**: keys are ordered as unsigned bytes, a prefix before what it begins; a scan yields each key once, strictly
//!   ascending or strictly descending.
//! - **C3 ranges**: a scan yields exactly the keys between its bounds, each bound included, excluded or absent; crossed bounds
//!   are an empty range and not an error.
//! - **C4 newest wins whole**: a key has the value of the last ingest that put it, or none if that one deleted it.
//!
//! # Reading
//!
//! - **C5 snapshots stand still**: a snapshot sees every ingest that finished before it was taken and nothing of a later one, until
//!   it is dropped: across ingests, compactions, hooks and checkpoints. Only discarded ranges may change in it.
//! - **C6 scans own their data**: a scan goes on after its snapshot, and the engine's handle, were dropped, and may move to another thread.
//! - **C7 multi-get**: equals one `get` for each key in the same snapshot, in the order asked.
//!
//! # Writing
//!
//! - **C8 ingest order**: keys of an ingest are strictly ascending; a key that is not, or has a wrong length, fails the ingest as a whole.
//! - **C9 atomic**: nothing of an ingest is visible before `finish`; other threads see none of it or all of it; all of it once
//!   `finish` returned.
//! - **C10 durable**: once `finish` returned, the ingest survives the end of the process and the loss of power.
//! - **C11 all or nothing after a crash**: an ingest that was cut short is, after a reopen, there whole or not at all, and
//!   everything that finished before is there.
//! - **C12 abort leaves nothing**: an ingest that was aborted, dropped or failed is never visible, and its bytes are given back
//!   at the latest at the next open.
//! - **C13 one ingest at a time**: a second one is refused while the first lives.
//!
//! # When the disk says no
//!
//! - **C14 writes resume**: when an ingest meets a full disk or an I/O error, it fails, nothing of it is visible, and reads go on;
//!   once the cause is gone the next ingest works, without a reopen.
//! - **C15 compaction resumes**: the same for compactions, which change nothing when they fail.
//!
//! # Threads
//!
//! - **C16 reads never wait for an install**: `get`, `snapshot` and `scan` go on while an ingest or a compaction syncs and
//!   installs its files, however long that takes.
//! - **C17 any thread**: every call may be made from any thread at any time, but those of an ingest, which stays on one thread; readers see C2 to C7 hold under ingests and compactions.
//!
//! # Upkeep
//!
//! - **C18 compaction is invisible**: apart from hooks and discarded ranges, no read can tell that one ran.
//! - **C19 compaction ends**: without new ingests, a bounded number of steps leads to `Idle`.
//! - **C20 hooks in key order**: a run visits ascending keys, for one key newer versions first; it may skip entries, and may show
//!   one that a newer version hides. It never shows a deleted key. `last_level` is true only when no older entry of the
//!   visited keys lies outside of the run.
//! - **C21 hooks never resurrect**: after `Remove` no older version of the key becomes visible, and `Replace` changes the value of
//!   the visited version only.
//! - **C22 everything**: a compaction with `Goal::Everything` shows the hooks the newest version of every key.
//! - **C23 discarded ranges**: the caller promises never to read or write a key of the range again. From then on a read there
//!   may give an old value or nothing; keys outside of it are untouched. Repeated `compact` frees all of its bytes
//!   and then counts it out of `pending_discards`; snapshots that live delay the bytes, not the count. A reopen forgets the discards
//!   that were not carried out.
//!
//! # Whole databases
//!
//! - **C24 checkpoint**: the directory opens as a database with the content of a moment during the call, and neither database can
//!   change or damage the other.
//! - **C25 verify**: finds any changed byte of stored keys and values (engines with checksums).
//! - **C26 no wrong answers**: damaged bytes are an error, never a wrong value or a silently missing key; undamaged keys stay readable
//!   (engines with checksums).
//! - **C27 open**: makes the directory when it is missing, refuses it while it is open elsewhere, and finds what was there.
//! - **C28 close**: afterwards every call is refused, except on snapshots and scans that lived; when those are gone, the directory
//!   opens again.
//! - **C29 health**: `Ok` when new; not `Ok` after a failed write or compaction; `Ok` again after the next one that succeeds.
//! - **C30 statistics**: sizes follow the data, counters only grow, the cache stays within its cap.
