//! Keys and values inside the engine. Every byte of it is in `docs/storage-format.md`.
//!
//! ```text
//!  memtable, reads, merger          whole keys, rows, headers, chunks
//!        │  key, value
//!        ▼
//!  view (Reader), writer (Writer)   keys above 32 KiB become entries of cut lists
//!        │
//!        ▼
//!  backend::Snapshot, backend::Ingest
//! ```

pub(crate) mod cut;
pub(crate) mod key;
pub(crate) mod store_keys;
pub(crate) mod value;
