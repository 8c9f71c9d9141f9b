//! The folders that a loss of power can leave, and what is found in them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::recorder::{FileId, Moment, Node, Target};
use crate::workload::{self, Step};

/// A disk writes sectors whole.
const SECTOR_BYTES: usize = 512;

/// What is lost of that which was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// All of it.
    Everything,
    /// Some sectors and some names, by chance.
    Some { seed: u64 },
}

/// Which syncs do what they promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Believed {
    All,
    /// All but those of one kind, see [`kind`].
    AllBut(String),
}

/// What a sync is about, in words that do not depend on numbers: `folder data/engine`, `file data/engine/tables/#`.
pub(crate) fn kind(recording: &[Moment], moment: &Moment) -> Option<String> {
    let root = root(recording)?;
    let (word, path) = match &moment.target {
        Target::Nothing => return None,
        Target::Folder(path) => ("folder", path),
        Target::File(id) => {
            let named = moment
                .names
                .iter()
                .find(|(_, node)| **node == Node::File(*id));
            ("file", named?.0)
        }
    };
    let path = path.strip_prefix(&root).ok()?.to_str()?;
    let mut name =
        format!("{word} {path}").replace(|character: char| character.is_ascii_digit(), "#");
    while name.contains("##") {
        name = name.replace("##", "#");
    }
    // The engine syncs `current` under its temporary name and again after the rename; either would do.
    match name.split_once("/.tmp") {
        Some((folder, _)) => Some(format!("{folder}/current")),
        None => Some(name),
    }
}

/// What the syncs so far have made durable.
#[derive(Default)]
struct Durable {
    files: BTreeMap<FileId, Arc<Vec<u8>>>,
    folders: BTreeMap<PathBuf, BTreeMap<OsString, Node>>,
}

impl Durable {
    fn sync(&mut self, moment: &Moment) {
        match &moment.target {
            Target::File(id) => {
                self.files
                    .extend(moment.contents.get(id).map(|bytes| (*id, bytes.clone())));
            }
            Target::Folder(path) => {
                self.folders.insert(path.clone(), entries(moment, path));
            }
            Target::Nothing => {}
        }
    }
}

fn entries(moment: &Moment, folder: &Path) -> BTreeMap<OsString, Node> {
    let inside = moment
        .names
        .iter()
        .filter(|(path, _)| path.parent() == Some(folder));
    inside
        .filter_map(|(path, node)| Some((path.file_name()?.to_owned(), *node)))
        .collect()
}

/// Chance, from a seed.
struct Chance(u64);

impl Chance {
    fn toss(&mut self) -> bool {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 63 == 1
    }
}

/// Loses power at every recorded sync, and opens what is left; the first thing that is wrong, if any.
pub(crate) fn replay(
    recording: &[Moment],
    believed: &Believed,
    loss: Loss,
    opened: &mut u32,
) -> Option<String> {
    let root = root(recording)?;
    let mut durable = Durable::default();
    for (index, moment) in recording.iter().enumerate() {
        let image = TempDir::new().expect("a temporary folder");
        let chance = match loss {
            Loss::Everything => None,
            Loss::Some { seed } => Some(Chance(
                seed.wrapping_mul(1_000_003).wrapping_add(index as u64),
            )),
        };
        Builder {
            durable: &durable,
            moment,
            chance,
        }
        .folder(&root, image.path());
        *opened += 1;
        if let Err(problem) = examine(image.path(), moment.acknowledged) {
            return Some(format!(
                "at sync {index}, after {} steps: {problem}",
                moment.acknowledged
            ));
        }
        let ignored = match believed {
            Believed::All => false,
            Believed::AllBut(ignored) => kind(recording, moment).as_ref() == Some(ignored),
        };
        if !ignored {
            durable.sync(moment);
        }
    }
    None
}

/// The recorded folder: the parent of everything.
fn root(recording: &[Moment]) -> Option<PathBuf> {
    let last = recording.last()?;
    let shallowest = last
        .names
        .keys()
        .min_by_key(|path| path.components().count())?;
    shallowest.parent().map(Path::to_owned)
}

/// The database must hold what all acknowledged steps made, or the next one too; so must a checkpoint that was made.
fn examine(image: &Path, acknowledged: usize) -> Result<(), String> {
    let steps = workload::steps();
    let done = steps.get(..acknowledged).unwrap_or(&steps);
    let next = steps.get(..acknowledged + 1).unwrap_or(&steps);
    expect("the database", &workload::directory(image), &[done, next])?;
    let checkpoint = done.iter().position(|step| *step == Step::Checkpoint);
    match checkpoint.and_then(|position| done.get(..position)) {
        Some(before) => expect("the checkpoint", &workload::checkpoint(image), &[before]),
        None => Ok(()),
    }
}

fn expect(what: &str, directory: &Path, allowed: &[&[Step]]) -> Result<(), String> {
    let found = workload::contents(directory).map_err(|problem| format!("{what}: {problem}"))?;
    if allowed.iter().any(|steps| found == workload::model(steps)) {
        return Ok(());
    }
    let expected: Vec<_> = allowed
        .iter()
        .map(|steps| workload::model(steps).len())
        .collect();
    Err(format!(
        "{what} holds {} keys, or other values, where {expected:?} keys were expected",
        found.len()
    ))
}

/// Makes one image.
struct Builder<'a> {
    durable: &'a Durable,
    moment: &'a Moment,
    /// Decides about what was not synced; without it, all of that is lost.
    chance: Option<Chance>,
}

impl Builder<'_> {
    fn folder(&mut self, recorded: &Path, image: &Path) {
        let synced = self
            .durable
            .folders
            .get(recorded)
            .cloned()
            .unwrap_or_default();
        let live = entries(self.moment, recorded);
        let mut names: Vec<_> = synced.keys().chain(live.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (synced, live) = (synced.get(name), live.get(name));
            let differs = synced != live;
            let made_it = differs && self.chance.as_mut().is_some_and(Chance::toss);
            let node = if made_it { live } else { synced };
            let image = image.join(name);
            match node {
                None => {}
                Some(Node::Folder) => {
                    fs::create_dir(&image).expect("a folder made");
                    self.folder(&recorded.join(name), &image);
                }
                Some(Node::File(id)) => {
                    let bytes = self.file(*id);
                    fs::File::create(&image)
                        .and_then(|mut file| file.write_all(&bytes))
                        .expect("a file written");
                }
            }
        }
    }

    /// The bytes of a file: those synced, with sectors of those in memory where chance wants it.
    fn file(&mut self, id: FileId) -> Vec<u8> {
        let synced = self
            .durable
            .files
            .get(&id)
            .map(|bytes| bytes.to_vec())
            .unwrap_or_default();
        let (Some(chance), Some(live)) = (&mut self.chance, self.moment.contents.get(&id)) else {
            return synced;
        };
        let mut bytes = synced;
        if chance.toss() {
            bytes.resize(live.len(), 0);
        }
        for (bytes, live) in bytes
            .chunks_mut(SECTOR_BYTES)
            .zip(live.chunks(SECTOR_BYTES))
        {
            let both = bytes.len().min(live.len());
            if chance.toss()
                && let (Some(bytes), Some(live)) = (bytes.get_mut(..both), live.get(..both))
            {
                bytes.copy_from_slice(live);
            }
        }
        bytes
    }
}
