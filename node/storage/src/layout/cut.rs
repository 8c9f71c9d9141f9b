//! Keys above 32 KiB: the engine refuses keys of 64 KiB, so long ones are cut and share an entry.
//!
//! [`Reader`] and [`Writer`] speak of whole keys; nothing above them knows of cut ones.
//! A cut list is rewritten whole when one of its entries changes. That is dear for a partition with a key above 32 KiB and
//! very many rows, and costs nothing to everybody else.

use std::ops::Bound;
use std::sync::Arc;

use backend::{Direction, Engine, Entry, Ingest, Ingested, Scan, Snapshot};
use bytes::Bytes;

use super::value::{CUT_LIST, put_bytes, take_bytes};
use crate::error::StorageError;
use crate::log::frame::u32_at;

/// The longest key that the engine sees.
pub(crate) const CUT: usize = 32_768;

/// Where a key is stored: itself, or what is left of it.
fn physical(key: &[u8]) -> &[u8] {
    key.get(..CUT).unwrap_or(key)
}

fn is_cut(key: &[u8]) -> bool {
    key.len() > CUT
}

/// The entries of a cut list: rest of the key, value; sorted.
fn decode_list(value: &Bytes) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
    let corrupt = || StorageError::corrupt("a list of entries with cut keys");
    let (Some(&CUT_LIST), Some(count)) = (value.first(), u32_at(value, 1)) else {
        return Err(corrupt());
    };
    let mut at = 5;
    let mut entries = Vec::new();
    for _ in 0..count {
        let rest = value.slice_ref(take_bytes(value, &mut at).ok_or_else(corrupt)?);
        let value = value.slice_ref(take_bytes(value, &mut at).ok_or_else(corrupt)?);
        entries.push((rest, value));
    }
    match at == value.len() {
        true => Ok(entries),
        false => Err(corrupt()),
    }
}

fn encode_list(entries: &[(Bytes, Bytes)]) -> Vec<u8> {
    let mut out = vec![CUT_LIST];
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&count.to_le_bytes());
    for (rest, value) in entries {
        put_bytes(rest, &mut out);
        put_bytes(value, &mut out);
    }
    out
}

/// The map at one moment, by whole keys. Cloning shares the snapshot.
#[derive(Clone)]
pub(crate) struct Reader {
    snapshot: Arc<dyn Snapshot>,
}

impl Reader {
    pub(crate) fn new(engine: &dyn Engine) -> Self {
        Self {
            snapshot: Arc::from(engine.snapshot()),
        }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        let stored = self.snapshot.get(physical(key))?;
        match is_cut(key) {
            false => Ok(stored),
            true => find(stored, key),
        }
    }

    /// One value for each key; `keys` ascend.
    pub(crate) fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>, StorageError> {
        let physical: Vec<&[u8]> = keys.iter().map(|key| physical(key)).collect();
        let mut out = Vec::with_capacity(keys.len());
        self.snapshot.multi_get(&physical, &mut out)?;
        for (key, found) in keys.iter().zip(&mut out) {
            if is_cut(key) {
                *found = find(found.take(), key)?;
            }
        }
        Ok(out)
    }

    /// The entries with keys from `start` up to but not including `end`.
    pub(crate) fn scan(
        &self,
        start: Vec<u8>,
        end: Vec<u8>,
        direction: Direction,
    ) -> Result<CutScan, StorageError> {
        // A cut key sorts where what is left of it sorts, so the ranges may have to be a little wider.
        let upper = match is_cut(&end) {
            true => Bound::Included(physical(&end)),
            false => Bound::Excluded(end.as_slice()),
        };
        let scan = self
            .snapshot
            .scan(Bound::Included(physical(&start)), upper, direction)?;
        Ok(CutScan {
            scan,
            wider: is_cut(&start) || is_cut(&end),
            start,
            end,
            direction,
            list: Vec::new(),
        })
    }
}

fn find(list: Option<Bytes>, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
    let Some(list) = list else { return Ok(None) };
    let rest = key.get(CUT..).unwrap_or_default();
    let entries = decode_list(&list)?;
    Ok(entries
        .into_iter()
        .find(|(found, _)| found == rest)
        .map(|(_, value)| value))
}

/// A scan by whole keys. It owns what it needs and may move to another thread.
pub(crate) struct CutScan {
    scan: Box<dyn Scan>,
    start: Vec<u8>,
    end: Vec<u8>,
    /// Whether the engine's range holds more than what is wanted.
    wider: bool,
    direction: Direction,
    /// Entries of the cut list that is being read, the next one last.
    list: Vec<Entry>,
}

impl CutScan {
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, StorageError> {
        loop {
            if let Some(entry) = self.list.pop() {
                return Ok(Some(entry));
            }
            let Some((key, value)) = self.scan.next()? else {
                return Ok(None);
            };
            if key.len() == CUT && value.first() == Some(&CUT_LIST) {
                self.open_list(&key, &value)?;
            } else if !self.wider || self.wants(&key) {
                return Ok(Some((key, value)));
            }
        }
    }

    fn open_list(&mut self, cut: &[u8], value: &Bytes) -> Result<(), StorageError> {
        for (rest, value) in decode_list(value)? {
            let key = Bytes::from([cut, &rest].concat());
            if self.wants(&key) {
                self.list.push((key, value));
            }
        }
        if self.direction == Direction::Forward {
            self.list.reverse();
        }
        Ok(())
    }

    fn wants(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && key < self.end.as_slice()
    }
}

/// A sorted batch by whole keys.
pub(crate) struct Writer {
    ingest: Box<dyn Ingest>,
    /// For the older entries of cut lists.
    older: Reader,
    /// The cut list that is being changed: cut key, and changes by the rest of the key.
    open: Option<OpenList>,
}

struct OpenList {
    cut: Vec<u8>,
    changes: Vec<(Bytes, Option<Bytes>)>,
}

impl Writer {
    /// Begins; `older` must be the newest state, and no other batch may come between.
    pub(crate) fn new(ingest: Box<dyn Ingest>, older: Reader) -> Self {
        Self {
            ingest,
            older,
            open: None,
        }
    }

    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StorageError> {
        match is_cut(key) {
            true => self.change(key, Some(Bytes::copy_from_slice(value))),
            false => {
                self.close_list()?;
                Ok(self.ingest.put(key, value)?)
            }
        }
    }

    pub(crate) fn delete(&mut self, key: &[u8]) -> Result<(), StorageError> {
        match is_cut(key) {
            true => self.change(key, None),
            false => {
                self.close_list()?;
                Ok(self.ingest.delete(key)?)
            }
        }
    }

    pub(crate) fn finish(mut self) -> Result<Ingested, StorageError> {
        self.close_list()?;
        Ok(self.ingest.finish()?)
    }

    fn change(&mut self, key: &[u8], value: Option<Bytes>) -> Result<(), StorageError> {
        let (cut, rest) = key.split_at(CUT);
        if self.open.as_ref().is_some_and(|open| open.cut != cut) {
            self.close_list()?;
        }
        let open = self.open.get_or_insert_with(|| OpenList {
            cut: cut.to_vec(),
            changes: Vec::new(),
        });
        open.changes.push((Bytes::copy_from_slice(rest), value));
        Ok(())
    }

    fn close_list(&mut self) -> Result<(), StorageError> {
        let Some(OpenList { cut, changes }) = self.open.take() else {
            return Ok(());
        };
        let older = match self.older.snapshot.get(&cut)? {
            Some(list) => decode_list(&list)?,
            None => Vec::new(),
        };
        let existed = !older.is_empty();
        let mut entries: std::collections::BTreeMap<Bytes, Bytes> = older.into_iter().collect();
        for (rest, value) in changes {
            match value {
                Some(value) => entries.insert(rest, value),
                None => entries.remove(&rest),
            };
        }
        let entries: Vec<(Bytes, Bytes)> = entries.into_iter().collect();
        match (entries.is_empty(), existed) {
            (true, false) => Ok(()),
            (true, true) => Ok(self.ingest.delete(&cut)?),
            (false, _) => Ok(self.ingest.put(&cut, &encode_list(&entries))?),
        }
    }
}
