//! Arguments of a program: pairs of `--name value`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Outcome;

/// The pairs, by name.
#[derive(Debug)]
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Those of this process.
    ///
    /// # Errors
    /// A name is not among `known`, or has no value.
    pub fn read(known: &[&str]) -> Outcome<Self> {
        let mut pairs = BTreeMap::new();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let name = argument
                .strip_prefix("--")
                .filter(|name| known.contains(name));
            let Some(name) = name else {
                return Err(format!("{argument:?} is none of --{}", known.join(", --")).into());
            };
            let value = arguments.next().ok_or(format!("{argument} has no value"))?;
            pairs.insert(name.to_owned(), value);
        }
        Ok(Self(pairs))
    }

    /// A value, if it was given.
    ///
    /// # Errors
    /// It is not of that type.
    pub fn get<T: FromStr>(&self, name: &str) -> Outcome<Option<T>> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|_| format!("--{name} {text}: not a value of this option"))
        };
        Ok(self.0.get(name).map(parse).transpose()?)
    }

    /// A value, or its default.
    ///
    /// # Errors
    /// It is not of that type.
    pub fn or<T: FromStr>(&self, name: &str, default: T) -> Outcome<T> {
        Ok(self.get(name)?.unwrap_or(default))
    }

    /// The node to start: `--program`, or `messina` beside this program.
    ///
    /// # Errors
    /// This program does not know where it is.
    pub fn program(&self) -> Outcome<PathBuf> {
        let beside = std::env::current_exe()?.with_file_name("messina");
        self.or("program", beside)
    }
}
