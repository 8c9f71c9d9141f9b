//! Directories of somebody else, of another version, and of only half of a node.

use std::path::Path;

use node_env::files::{Access, read_all};
use node_env::simulation::run;
use node_env::{FileErrorKind, Files, SyncPoint};
use node_storage::StorageError;

use crate::world::World;

#[test]
fn a_directory_of_somebody_else_is_refused_and_stays_as_it_is() {
    for (folder, file) in [
        ("/node", "system_schema"),
        ("/node/log", "CommitLog-7-1.log"),
    ] {
        run(async {
            let mut world = World::new(9);
            let files = world.machine.files.clone();
            let folder = Path::new(folder);
            let test = SyncPoint("test");
            files.create_dir_all(folder, test).unwrap();
            files.create(&folder.join(".hidden"), 0, test).unwrap();
            files.create(&folder.join(file), 0, test).unwrap();
            let before = (
                files.list(Path::new("/node")).unwrap(),
                files.list(folder).unwrap(),
            );
            let Err(error) = world.boot(1).await else {
                panic!("{file} was taken for ours")
            };
            assert!(matches!(error, StorageError::Foreign { .. }), "{error}");
            assert!(error.to_string().contains(file), "{error}");
            let after = (
                files.list(Path::new("/node")).unwrap(),
                files.list(folder).unwrap(),
            );
            assert_eq!(before, after);
            files.remove(&folder.join(file)).unwrap();
            world.boot(1).await.unwrap();
        });
    }
}

#[test]
fn a_foreign_format_is_refused() {
    run(async {
        let mut world = World::new(9);
        drop(world.boot(1).await.unwrap());
        let path = Path::new("/node/FORMAT");
        let file = world.machine.files.open(path, Access::ReadWrite).unwrap();
        assert_eq!(read_all(&*file, 100).unwrap(), b"messina data 1\n");
        file.write_at(13, b"7").unwrap();
        let Err(error) = world.boot(1).await else {
            panic!("newer data was opened")
        };
        assert!(error.to_string().contains("messina data 7"), "{error}");
        world.machine.files.remove(path).unwrap();
        let Err(error) = world.boot(1).await else {
            panic!("data without its format was opened")
        };
        assert!(matches!(error, StorageError::Foreign { .. }), "{error}");
        assert_eq!(
            world
                .machine
                .files
                .open(path, Access::Read)
                .unwrap_err()
                .kind,
            FileErrorKind::NotFound
        );
    });
}

#[test]
fn data_does_not_start_without_its_logs_nor_logs_without_their_data() {
    run(async {
        let mut world = World::new(9);
        drop(world.boot(1).await.unwrap());
        let files = world.machine.files.clone();
        let (data, logs) = (Path::new("/node"), Path::new("/node/log"));
        let format = |folder: &Path| folder.join("FORMAT");
        files
            .rename(&format(logs), &logs.join("elsewhere"))
            .unwrap();
        let Err(error) = world.boot(1).await else {
            panic!("the node started without its logs")
        };
        assert!(matches!(error, StorageError::LogsMissing { .. }), "{error}");
        assert!(error.to_string().contains("/node/log"), "{error}");
        files
            .rename(&logs.join("elsewhere"), &format(logs))
            .unwrap();
        files.remove(&format(data)).unwrap();
        let Err(error) = world.boot(1).await else {
            panic!("the logs were taken for those of an empty directory")
        };
        assert!(matches!(error, StorageError::Foreign { .. }), "{error}");
        assert!(files.entry(&format(data)).unwrap().is_none());
    });
}
