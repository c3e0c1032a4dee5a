//! A step's own parameters, read from an operator's event: each is there and right, absent, or refused by its name.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::{Both, Language};
use crate::gather::error::Error;
use crate::gather::trigger::{TriggerError, field, span};
use crate::{redact, text};

/// The parameters of one event. `null` is not the same as absent: it is a value that went missing on the way.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a>(pub &'a Map<String, Value>);

impl Parameters<'_> {
    /// What `read` makes of a parameter; `None` where it is absent. `expected` is as [`TriggerError::Field`] has it.
    ///
    /// # Errors
    /// [`Error::Trigger`] with the parameter's name, its value, and what it may be.
    pub fn read<T>(
        &self,
        name: &str,
        expected: impl Fn(Language) -> String,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::Trigger(TriggerError::Field {
                path: name.to_owned(),
                found: Both::same(&redact::cut(&value.to_string(), 100)),
                expected: Both::of(expected),
            })),
        }
    }

    /// Whether it is `true`; anything else is refused, `false` too: it is left out instead.
    ///
    /// # Errors
    /// [`Error::Trigger`].
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        let read = self.read(name, field::flag, |value| (*value == Value::Bool(true)).then_some(()))?;
        Ok(read.is_some())
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// [`Error::Trigger`].
    pub fn whole(&self, name: &str, bounds: RangeInclusive<u32>) -> Result<Option<u32>, Error> {
        let (least, most) = (*bounds.start(), *bounds.end());
        let expected = |language| text!(language, ja: "{least} から {most} までの整数", en: "a whole number from {least} to {most}");
        let read = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok());
        self.read(name, expected, |value| read(value).filter(|value| bounds.contains(value)))
    }

    /// An action's identity.
    ///
    /// # Errors
    /// [`Error::Trigger`].
    pub fn id(&self, name: &str) -> Result<Option<Uuid>, Error> {
        self.read(name, field::uuid, |value| value.as_str()?.parse().ok())
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// [`Error::Trigger`].
    pub fn text(&self, name: &str) -> Result<Option<String>, Error> {
        self.read(name, field::not_empty, |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        })
    }

    /// A span of time, `"90s"`, `"30m"`, `"24h"` or `"7d"`, within bounds that are given in seconds.
    ///
    /// # Errors
    /// [`Error::Trigger`].
    pub fn span(&self, name: &str, bounds: RangeInclusive<u32>) -> Result<Option<TimeDelta>, Error> {
        self.read(name, |language| span::expected(language, &bounds), |value| span::read(value, &bounds))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with<T>(value: Value, read: impl FnOnce(Parameters<'_>) -> Result<T, Error>) -> Result<T, String> {
        let Value::Object(map) = json!({ "it": value }) else { unreachable!() };
        read(Parameters(&map)).map_err(|error| error.to_string())
    }

    #[test]
    fn spans_are_read_in_four_units_and_within_their_bounds() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800)] {
            let read = with(json!(text), |parameters| parameters.span("it", 60..=604_800));
            assert_eq!(read, Ok(Some(TimeDelta::seconds(seconds))), "{text}");
        }
        for wrong in [json!("59s"), json!("8d"), json!("+5m"), json!("m"), json!("5"), json!(300), Value::Null] {
            let error = with(wrong.clone(), |parameters| parameters.span("it", 60..=604_800)).unwrap_err();
            assert!(error.contains("`it` is") && error.contains("from 1m to 7d"), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_absent_is_none_and_what_is_wrong_names_what_it_may_be() {
        let empty = Map::new();
        let absent = Parameters(&empty);
        assert!(!absent.flag("it").unwrap() && absent.whole("it", 1..=2).unwrap().is_none());
        assert!(absent.id("it").unwrap().is_none() && absent.text("it").unwrap().is_none());

        assert_eq!(with(json!(2), |parameters| parameters.whole("it", 1..=2)), Ok(Some(2)));
        for wrong in [json!(3), json!(-1), json!(1.5), json!("2")] {
            let error = with(wrong, |parameters| parameters.whole("it", 1..=2)).unwrap_err();
            assert!(error.contains("a whole number from 1 to 2"), "{error}");
        }
        assert!(with(json!(false), |parameters| parameters.flag("it")).unwrap_err().contains("true, or left out"));
        assert!(with(json!(" "), |parameters| parameters.text("it")).unwrap_err().contains("a string"));
        assert!(with(json!("x"), |parameters| parameters.id("it")).unwrap_err().contains("a UUID"));
    }
}
