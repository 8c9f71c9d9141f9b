//! The disk itself: what programs see, and beside it what a power cut would leave.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::{SECTOR, not_found};
use crate::chance::{Rng, SeededRng};
use crate::files::{Entry, EntryKind, FileError, FileErrorKind, FileOperation};

type Sector = Box<[u8; SECTOR]>;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File(u64),
    Directory(u64),
}

/// What the disk still holds of a sector that programs see changed.
struct Undo {
    /// `None`: zero bytes.
    old: Option<Sector>,
    /// A sync failed: later ones no longer write it, until it is written again.
    abandoned: bool,
}

#[derive(Default)]
struct Inode {
    /// Sectors that are not all zero, as programs see them.
    sectors: BTreeMap<u64, Sector>,
    len: u64,
    /// Sectors changed since the last sync.
    undo: BTreeMap<u64, Undo>,
    durable_len: u64,
}

enum DirectoryChange {
    Link(String, Node),
    Unlink(String),
    Rename(String, String),
}

#[derive(Default)]
struct Directory {
    entries: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    pending: Vec<DirectoryChange>,
}

pub(super) struct Disk {
    inodes: BTreeMap<u64, Inode>,
    directories: BTreeMap<u64, Directory>,
    next: u64,
}

const ROOT: u64 = 0;

/// How much of what was not synced survives; chosen per file and directory, so that plain cases are met as well.
enum Survival {
    Nothing,
    Everything,
    /// Each change by the toss of a coin.
    Some,
}

impl Survival {
    fn choose(rng: &mut SeededRng) -> Self {
        match rng.below(4) {
            0 => Self::Nothing,
            1 => Self::Everything,
            _ => Self::Some,
        }
    }

    fn keeps(&self, rng: &mut SeededRng) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Some => rng.one_in(2),
        }
    }
}

impl Disk {
    pub(super) fn new() -> Self {
        let directories = BTreeMap::from([(ROOT, Directory::default())]);
        Self {
            inodes: BTreeMap::new(),
            directories,
            next: ROOT + 1,
        }
    }

    /// The names of a path; `None` if it leaves the root.
    fn names(path: &Path) -> Option<Vec<String>> {
        path.components()
            .filter(|part| !matches!(part, Component::RootDir | Component::CurDir))
            .map(|part| match part {
                Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
                Component::Prefix(_)
                | Component::RootDir
                | Component::CurDir
                | Component::ParentDir => None,
            })
            .collect()
    }

    pub(super) fn find(&self, path: &Path) -> Option<Node> {
        let mut node = Node::Directory(ROOT);
        for name in Self::names(path)? {
            let Node::Directory(directory) = node else {
                return None;
            };
            node = *self.directories.get(&directory)?.entries.get(&name)?;
        }
        Some(node)
    }

    /// The directory that holds the last name of a path, and that name.
    fn parent(
        &mut self,
        operation: FileOperation,
        path: &Path,
    ) -> Result<(&mut Directory, String), FileError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().ok_or_else(|| not_found(operation, path))?;
        match self.find(parent) {
            Some(Node::Directory(number)) => match self.directories.get_mut(&number) {
                Some(directory) => Ok((directory, name.to_string_lossy().into_owned())),
                None => Err(not_found(operation, path)),
            },
            Some(Node::File(_)) | None => Err(not_found(operation, path)),
        }
    }

    fn link(&mut self, operation: FileOperation, path: &Path, node: Node) -> Result<(), FileError> {
        let (directory, name) = self.parent(operation, path)?;
        if directory.entries.contains_key(&name) {
            return Err(FileError::plain(
                operation,
                path,
                FileErrorKind::Exists,
                "the name is taken",
            ));
        }
        directory.entries.insert(name.clone(), node);
        directory.pending.push(DirectoryChange::Link(name, node));
        Ok(())
    }

    pub(super) fn create(
        &mut self,
        operation: FileOperation,
        path: &Path,
    ) -> Result<u64, FileError> {
        let inode = self.next;
        self.link(operation, path, Node::File(inode))?;
        self.next += 1;
        self.inodes.insert(inode, Inode::default());
        Ok(inode)
    }

    pub(super) fn create_directory(&mut self, path: &Path) -> Result<(), FileError> {
        let number = self.next;
        self.link(
            FileOperation::CreateDirectory,
            path,
            Node::Directory(number),
        )?;
        self.next += 1;
        self.directories.insert(number, Directory::default());
        Ok(())
    }

    pub(super) fn unlink(
        &mut self,
        operation: FileOperation,
        path: &Path,
    ) -> Result<(), FileError> {
        let (directory, name) = self.parent(operation, path)?;
        match directory.entries.get(&name) {
            Some(Node::File(_)) => {
                directory.entries.remove(&name);
                directory.pending.push(DirectoryChange::Unlink(name));
                Ok(())
            }
            Some(Node::Directory(_)) => Err(FileError::plain(
                operation,
                path,
                FileErrorKind::Unsupported,
                "it is a directory",
            )),
            None => Err(not_found(operation, path)),
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), FileError> {
        let operation = FileOperation::Rename;
        if from.parent().and_then(Self::names) != to.parent().and_then(Self::names) {
            let text = format!("{} is in another directory", to.display());
            return Err(FileError::plain(
                operation,
                from,
                FileErrorKind::Unsupported,
                text,
            ));
        }
        let target = to
            .file_name()
            .ok_or_else(|| not_found(operation, to))?
            .to_string_lossy()
            .into_owned();
        let (directory, name) = self.parent(operation, from)?;
        let Some(node) = directory.entries.remove(&name) else {
            return Err(not_found(operation, from));
        };
        directory.entries.insert(target.clone(), node);
        directory
            .pending
            .push(DirectoryChange::Rename(name, target));
        Ok(())
    }

    pub(super) fn list(&self, path: &Path) -> Option<Vec<Entry>> {
        let Node::Directory(number) = self.find(path)? else {
            return None;
        };
        let entries = self
            .directories
            .get(&number)?
            .entries
            .iter()
            .map(|(name, node)| {
                let name = name.clone();
                match node {
                    Node::File(inode) => Entry {
                        name,
                        kind: EntryKind::File,
                        len: self.len(*inode),
                    },
                    Node::Directory(_) => Entry {
                        name,
                        kind: EntryKind::Directory,
                        len: 0,
                    },
                }
            });
        Some(entries.collect())
    }

    pub(super) fn sync_directory(&mut self, path: &Path) -> Result<(), FileError> {
        let Some(Node::Directory(number)) = self.find(path) else {
            return Err(not_found(FileOperation::Sync, path));
        };
        if let Some(directory) = self.directories.get_mut(&number) {
            directory.durable = directory.entries.clone();
            directory.pending.clear();
        }
        Ok(())
    }

    pub(super) fn len(&self, inode: u64) -> u64 {
        self.inodes.get(&inode).map_or(0, |inode| inode.len)
    }

    /// Bytes in files that have a name.
    pub(super) fn used(&self) -> u64 {
        let nodes = self
            .directories
            .values()
            .flat_map(|directory| directory.entries.values());
        let lens = nodes.map(|node| match node {
            Node::File(inode) => self.len(*inode),
            Node::Directory(_) => 0,
        });
        lens.sum()
    }

    pub(super) fn read(&self, inode: u64, offset: u64, out: &mut [u8]) -> usize {
        let Some(inode) = self.inodes.get(&inode) else {
            return 0;
        };
        let rest = usize::try_from(inode.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let readable = out.len().min(rest);
        for_sectors(offset, readable, |number, within, range| {
            let Some(target) = out.get_mut(range) else {
                return;
            };
            match inode
                .sectors
                .get(&number)
                .and_then(|sector| sector.get(within..within + target.len()))
            {
                Some(source) => target.copy_from_slice(source),
                None => target.fill(0),
            }
        });
        readable
    }

    pub(super) fn write(&mut self, inode: u64, offset: u64, bytes: &[u8]) {
        let Some(inode) = self.inodes.get_mut(&inode) else {
            return;
        };
        for_sectors(offset, bytes.len(), |number, within, range| {
            let Some(source) = bytes.get(range) else {
                return;
            };
            let sector = inode.dirty(number);
            if let Some(target) = sector.get_mut(within..within + source.len()) {
                target.copy_from_slice(source);
            }
        });
        inode.len = inode.len.max(offset.saturating_add(bytes.len() as u64));
    }

    pub(super) fn resize(&mut self, inode: u64, len: u64) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            inode.resize(len);
        }
    }

    pub(super) fn sync(&mut self, inode: u64) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            inode.undo.retain(|_, undo| undo.abandoned);
            inode.durable_len = inode.len;
        }
    }

    /// A sync failed: what it should have written stays visible and is never written.
    pub(super) fn abandon(&mut self, inode: u64) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            inode
                .undo
                .values_mut()
                .for_each(|undo| undo.abandoned = true);
        }
    }

    pub(super) fn flip(&mut self, path: &Path, offset: u64, mask: u8) -> bool {
        let Some(Node::File(inode)) = self.find(path) else {
            return false;
        };
        let Some(inode) = self.inodes.get_mut(&inode) else {
            return false;
        };
        if offset >= inode.len {
            return false;
        }
        let sector = inode
            .sectors
            .entry(offset / SECTOR as u64)
            .or_insert_with(zeros);
        match usize::try_from(offset % SECTOR as u64)
            .ok()
            .and_then(|within| sector.get_mut(within))
        {
            Some(byte) => *byte ^= mask,
            None => return false,
        }
        true
    }

    /// Forgets what was not synced, in parts.
    pub(super) fn lose_power(&mut self, seed: u64) {
        let mut rng = SeededRng::new(seed);
        for directory in self.directories.values_mut() {
            directory.lose_power(&mut rng);
        }
        for inode in self.inodes.values_mut() {
            inode.lose_power(&mut rng);
        }
        // What no name leads to is gone.
        let nodes: Vec<Node> = self
            .directories
            .values()
            .flat_map(|directory| directory.entries.values().copied())
            .collect();
        let files: BTreeSet<u64> = nodes
            .iter()
            .filter_map(|node| match node {
                Node::File(inode) => Some(*inode),
                Node::Directory(_) => None,
            })
            .collect();
        self.inodes.retain(|number, _| files.contains(number));
    }
}

impl Inode {
    /// The sector for writing; remembers what the disk holds of it.
    fn dirty(&mut self, number: u64) -> &mut [u8; SECTOR] {
        let sector = self.sectors.get(&number).cloned();
        self.undo
            .entry(number)
            .or_insert(Undo {
                old: sector,
                abandoned: false,
            })
            .abandoned = false;
        self.sectors.entry(number).or_insert_with(zeros)
    }

    fn resize(&mut self, len: u64) {
        if len < self.len {
            let whole = len.div_ceil(SECTOR as u64);
            let gone: Vec<u64> = self
                .sectors
                .range(whole..)
                .map(|(number, _)| *number)
                .collect();
            for number in gone {
                self.dirty(number);
                self.sectors.remove(&number);
            }
            let tail = usize::try_from(len % SECTOR as u64).unwrap_or(0);
            if tail > 0
                && let Some(rest) = self.dirty(len / SECTOR as u64).get_mut(tail..)
            {
                rest.fill(0);
            }
        }
        self.len = len;
    }

    fn lose_power(&mut self, rng: &mut SeededRng) {
        let survival = Survival::choose(rng);
        if self.len != self.durable_len && !survival.keeps(rng) {
            self.len = self.durable_len;
        }
        for (number, undo) in std::mem::take(&mut self.undo) {
            if !undo.abandoned && survival.keeps(rng) {
                continue;
            }
            match undo.old {
                Some(old) => self.sectors.insert(number, old),
                None => self.sectors.remove(&number),
            };
        }
        let len = self.len;
        // Nothing may show up behind the end when the file grows again.
        self.resize(len.saturating_add(1));
        self.resize(len);
        self.undo.clear();
        self.durable_len = self.len;
    }
}

impl Directory {
    fn lose_power(&mut self, rng: &mut SeededRng) {
        let survival = Survival::choose(rng);
        let mut lost: BTreeSet<String> = BTreeSet::new();
        for change in std::mem::take(&mut self.pending) {
            let names: Vec<&String> = match &change {
                DirectoryChange::Link(name, _) | DirectoryChange::Unlink(name) => vec![name],
                DirectoryChange::Rename(from, to) => vec![from, to],
            };
            // A change survives only if all earlier ones of the same names did.
            if names.iter().any(|name| lost.contains(*name)) || !survival.keeps(rng) {
                lost.extend(names.into_iter().cloned());
                continue;
            }
            match change {
                DirectoryChange::Link(name, node) => {
                    self.durable.insert(name, node);
                }
                DirectoryChange::Unlink(name) => {
                    self.durable.remove(&name);
                }
                DirectoryChange::Rename(from, to) => {
                    if let Some(node) = self.durable.remove(&from) {
                        self.durable.insert(to, node);
                    }
                }
            }
        }
        self.entries = self.durable.clone();
    }
}

fn zeros() -> Sector {
    Box::new([0; SECTOR])
}

/// Cuts `len` bytes at `offset` into sectors: number, offset within, range of the caller's buffer.
fn for_sectors(offset: u64, len: usize, mut each: impl FnMut(u64, usize, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < len {
        let at = offset.saturating_add(done as u64);
        let within = usize::try_from(at % SECTOR as u64).unwrap_or(0);
        let end = len.min(done + SECTOR - within);
        each(at / SECTOR as u64, within, done..end);
        done = end;
    }
}
