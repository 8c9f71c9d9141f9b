//! Changes of the store's own entries: numbers of spaces, dead ranges, retired logs.

use super::sink::Sink;
use super::{MergeContext, MergeJob, Step};
use crate::error::StorageError;
use crate::layout::store_keys::StoreKey;
use crate::layout::value::encode_number;

/// Puts and deletes a few entries in one batch.
pub(crate) struct StoreChange {
    /// A value, or nothing to delete the entry.
    entries: Vec<(Vec<u8>, Option<u64>)>,
    /// What takes effect with the batch, before the next job begins.
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl StoreChange {
    pub(crate) fn new(entries: impl IntoIterator<Item = (StoreKey, Option<u64>)>) -> Self {
        let mut entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value)| (key.encode(), value))
            .collect();
        entries.sort();
        entries.dedup_by(|a, b| a.0 == b.0);
        Self {
            entries,
            then: None,
        }
    }

    /// Lets `effect` happen between this batch and the next job.
    pub(crate) fn then(self, effect: impl FnOnce() + Send + 'static) -> Self {
        Self {
            then: Some(Box::new(effect)),
            ..self
        }
    }
}

impl MergeJob for StoreChange {
    fn step(&mut self, context: &MergeContext) -> Result<Step, StorageError> {
        let mut sink = Sink::new(context);
        for (key, value) in &self.entries {
            match value {
                Some(number) => sink.put(key, &encode_number(*number)),
                None => sink.delete(key),
            }
        }
        sink.finish(context)?;
        if let Some(effect) = self.then.take() {
            effect();
        }
        Ok(Step::Finished)
    }
}
