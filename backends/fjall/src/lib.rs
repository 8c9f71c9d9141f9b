//! fjall behind the storage trait; the only crate that names it.
