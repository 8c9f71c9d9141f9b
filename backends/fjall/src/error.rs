//! The engine's errors, in the words of the trait.

use backend::Error;

/// Translates an error of the engine that came while `doing` something.
pub(crate) fn translate(doing: &'static str, error: lsm_tree::Error) -> Error {
    match error {
        lsm_tree::Error::Io(source) => Error::io(doing, source),
        lsm_tree::Error::InvalidVersion(version) => Error::Format {
            what: format!("version {version} of fjall's format where version 3 was expected"),
        },
        damage => Error::Corrupt {
            what: format!("could not {doing}: {damage}"),
        },
    }
}
