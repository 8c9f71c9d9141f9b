//! A directory of somebody else: the node does not start in it and leaves nothing there.

use std::path::Path;

use node_env::{Files as _, SyncPoint};

use crate::machine::{Machine, run};

#[test]
fn not_even_a_lock_file_is_left_in_a_directory_of_somebody_else() {
    run(1, async {
        let mut machine = Machine::new(1);
        let files = machine.sim.files.clone();
        let directory = Path::new("/node");
        let test = SyncPoint("test");
        files.create_dir_all(directory, test).unwrap();
        files.create(&directory.join("notes.txt"), 0, test).unwrap();
        let before = files.list(directory).unwrap();
        let Err(error) = machine.boot(1).await else {
            panic!("the node started among notes")
        };
        assert!(error.to_string().contains("notes.txt"), "{error}");
        assert_eq!(files.list(directory).unwrap(), before);
    });
}
