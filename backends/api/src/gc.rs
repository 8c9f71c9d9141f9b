//! Hooks by which the owner of the data drops garbage while a compaction rewrites it.

/// Makes a [`GcRun`] for each compaction.
pub trait GcHooks: Send + Sync {
    /// A compaction begins; `last_level` says that nothing older than what it writes can lie below (C20).
    fn run(&self, last_level: bool) -> Box<dyn GcRun>;
}

/// The decisions of one compaction, asked in key order.
///
/// Must not panic, must not call the engine, and decides from the entry and its own state alone.
pub trait GcRun: Send {
    /// What becomes of this entry.
    ///
    /// Not every entry is ever shown, and one that a newer version hides may be (C20), so `Keep` is always right and
    /// the others must be right for this entry wherever it lies.
    fn visit(&mut self, key: &[u8], value: &[u8]) -> Gc;
}

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gc {
    /// It stays.
    Keep,
    /// It gets another value.
    Replace(Vec<u8>),
    /// It goes, and no older version of the key comes back (C21).
    Remove,
}

/// Hooks that keep everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepAll;

impl GcHooks for KeepAll {
    fn run(&self, _last_level: bool) -> Box<dyn GcRun> {
        Box::new(Self)
    }
}

impl GcRun for KeepAll {
    fn visit(&mut self, _key: &[u8], _value: &[u8]) -> Gc {
        Gc::Keep
    }
}
