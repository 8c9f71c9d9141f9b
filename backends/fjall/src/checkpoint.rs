//! Checkpoints: links to the table files, which never change, and a copy of the manifest.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use backend::Error;
use lsm_tree::AbstractTree;

use crate::directory::{CURRENT_FILE, TABLES_FOLDER, create_durably, sync_folder};
use crate::engine::FjallEngine;
use crate::manifest;
use crate::shared::lock;

impl FjallEngine {
    /// Makes a database of the present content; neither compactions nor ingests change the manifest meanwhile.
    pub(crate) fn checkpoint_into(&self, target: &Path) -> Result<(), Error> {
        let _upkeep = lock(&self.shared.upkeep);
        let open = self.shared.open()?;
        self.shared.tidy_up(&open)?;
        let _installs = self.shared.hold_installs();
        let copying = |error| Error::io("make a checkpoint", error);
        if target.try_exists().map_err(copying)?
            && fs::read_dir(target).map_err(copying)?.next().is_some()
        {
            return Err(Error::NotEmpty {
                directory: target.to_owned(),
            });
        }
        let target = std::path::absolute(target).map_err(copying)?;
        let version = open.tree.current_version();
        let tables = target.join(TABLES_FOLDER);
        create_durably(&tables).map_err(copying)?;
        for table in version.iter_tables() {
            link_or_copy(&table.path, &tables.join(table.id().to_string())).map_err(copying)?;
        }
        sync_folder(&tables).map_err(copying)?;
        let source = &open.directory.path;
        let files = [
            manifest::version_file(source, version.id()),
            source.join(CURRENT_FILE),
        ];
        for file in files {
            let Some(name) = file.file_name() else {
                continue;
            };
            copy(&file, &target.join(name)).map_err(copying)?;
            sync_folder(&target).map_err(copying)?;
        }
        Ok(())
    }
}

fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy(from, to),
        linked => linked,
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}
