//! Reading the values of properties, with an error that names the property.

use crate::change::PropertyValue;
use crate::error::SchemaError;
use crate::options::OptionMap;

/// One property of a statement.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) name: &'a str,
    value: &'a PropertyValue,
}

impl<'a> Reader<'a> {
    /// All properties of a statement.
    ///
    /// # Errors
    /// A property is named twice.
    pub(crate) fn all(properties: &'a [(String, PropertyValue)]) -> Result<Vec<Self>, SchemaError> {
        for (index, (name, _)) in properties.iter().enumerate() {
            if properties
                .iter()
                .take(index)
                .any(|(earlier, _)| earlier == name)
            {
                return Err(SchemaError::invalid(format!(
                    "Multiple definitions for property '{name}'"
                ))
                .at(name));
            }
        }
        Ok(properties
            .iter()
            .map(|(name, value)| Self { name, value })
            .collect())
    }

    /// The constant, as text.
    pub(crate) fn text(self) -> Result<&'a str, SchemaError> {
        match self.value {
            PropertyValue::Literal(text) => Ok(text),
            PropertyValue::Map(_) => Err(self.invalid(format!(
                "Invalid value for property '{}': a constant is expected, not a map",
                self.name
            ))),
        }
    }

    /// The map; later keys win.
    pub(crate) fn map(self) -> Result<OptionMap, SchemaError> {
        match self.value {
            PropertyValue::Map(pairs) => Ok(pairs.iter().cloned().collect()),
            PropertyValue::Literal(text) => Err(self.invalid(format!(
                "Invalid value for property '{}'. It should be a map, not {text}",
                self.name
            ))),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(self) -> Result<bool, SchemaError> {
        parse_boolean(self.text()?).ok_or_else(|| {
            self.invalid(format!(
                "Invalid boolean value {} for '{}': true or false is expected",
                self.text().unwrap_or_default(),
                self.name
            ))
        })
    }

    /// A whole number from `min` to `max`.
    pub(crate) fn integer(self, min: u32, max: u32) -> Result<u32, SchemaError> {
        let text = self.text()?;
        let number: i128 = text.trim().parse().map_err(|_| {
            self.invalid(format!("Invalid integer value {text} for '{}'", self.name))
        })?;
        let refuse = |what: &str, limit: u32| {
            SchemaError::config(format!(
                "{} must be {what} than or equal to {limit} (got {number})",
                self.name
            ))
            .at(self.name)
        };
        match u32::try_from(number) {
            Ok(small) if small < min => Err(refuse("greater", min)),
            Ok(good) if good <= max => Ok(good),
            Ok(_) => Err(refuse("less", max)),
            Err(_) if number < 0 => Err(refuse("greater", min)),
            Err(_) => Err(refuse("less", max)),
        }
    }

    /// A number.
    pub(crate) fn double(self) -> Result<f64, SchemaError> {
        let text = self.text()?;
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) | Err(_) => {
                Err(self.invalid(format!("Invalid double value {text} for '{}'", self.name)))
            }
        }
    }

    /// An error about this property that is `INVALID`.
    pub(crate) fn invalid(self, message: String) -> SchemaError {
        SchemaError::invalid(message).at(self.name)
    }

    /// An error about this property that is `CONFIG_ERROR`.
    pub(crate) fn config(self, message: String) -> SchemaError {
        SchemaError::config(message).at(self.name)
    }
}

/// `true` or `false`, in any case.
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
