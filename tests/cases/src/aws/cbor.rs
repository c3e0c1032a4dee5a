//! CBOR, in which today's SDK speaks to CloudWatch: <https://www.rfc-editor.org/rfc/rfc8949>,
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>.
//!
//! JSON's values and times (tag 1) is all that is needed; a time is read as epoch seconds, and written where a field's name is a time's.

use serde_json::{Map, Number, Value, json};

use super::wire::is_time;

/// Reads one item; `None` where it is none, or is of a kind that no request here has.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    Reader { bytes }.item().and_then(|item| item)
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// An item; the inner `None` is the end of a list or map of unknown length.
    fn item(&mut self) -> Option<Option<Value>> {
        let head = *self.take(1)?.first()?;
        let (kind, more) = (head >> 5, head & 0x1f);
        if kind == 7 {
            return Some(match more {
                20 => Some(false.into()),
                21 => Some(true.into()),
                22 | 23 => Some(Value::Null),
                26 => Some(json!(f32::from_bits(u32::try_from(self.number(4)?).ok()?))),
                27 => Some(json!(f64::from_bits(self.number(8)?))),
                31 => None,
                _ => return None,
            });
        }
        // `None`: of unknown length.
        let argument = match more {
            0..=23 => Some(u64::from(more)),
            24..=27 => Some(self.number(1 << (more - 24))?),
            31 => None,
            _ => return None,
        };
        let length = argument.map_or(usize::MAX, |length| usize::try_from(length).unwrap_or(usize::MAX));
        Some(Some(match kind {
            0 => argument?.into(),
            1 => (-1 - i64::try_from(argument?).ok()?).into(),
            2 | 3 => match argument {
                Some(_) => String::from_utf8(self.take(length)?.to_vec()).ok()?.into(),
                None => {
                    let mut whole = String::new();
                    while let Some(part) = self.item()? {
                        whole.push_str(part.as_str()?);
                    }
                    whole.into()
                }
            },
            4 => {
                let mut entries = Vec::new();
                while entries.len() < length {
                    let Some(entry) = self.item()? else { break };
                    entries.push(entry);
                }
                entries.into()
            }
            5 => {
                let mut fields = Map::new();
                let mut left = length;
                while left > 0 {
                    let Some(name) = self.item()? else { break };
                    fields.insert(name.as_str()?.to_owned(), self.item()??);
                    left -= 1;
                }
                fields.into()
            }
            6 => self.item()??,
            _ => return None,
        }))
    }
}

/// Writes a value.
pub(super) fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    item(&mut bytes, value, false);
    bytes
}

fn item(bytes: &mut Vec<u8>, value: &Value, is_a_time: bool) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(value) => bytes.push(0xf4 + u8::from(*value)),
        Value::Number(value) => {
            if is_a_time {
                bytes.push(0xc1);
            }
            number(bytes, value);
        }
        Value::String(text) => {
            head(bytes, 3, text.len());
            bytes.extend(text.as_bytes());
        }
        Value::Array(entries) => {
            head(bytes, 4, entries.len());
            entries.iter().for_each(|entry| item(bytes, entry, is_a_time));
        }
        Value::Object(fields) => {
            head(bytes, 5, fields.len());
            for (name, value) in fields {
                item(bytes, &name.as_str().into(), false);
                item(bytes, value, is_time(name));
            }
        }
    }
}

fn number(bytes: &mut Vec<u8>, value: &Number) {
    match (value.as_u64(), value.as_i64()) {
        (Some(value), _) => long(bytes, 0, value),
        (None, Some(value)) => long(bytes, 1, value.unsigned_abs() - 1),
        (None, None) => {
            bytes.push(0xfb);
            bytes.extend(value.as_f64().unwrap_or(f64::NAN).to_be_bytes());
        }
    }
}

fn head(bytes: &mut Vec<u8>, kind: u8, length: usize) {
    long(bytes, kind, length as u64);
}

fn long(bytes: &mut Vec<u8>, kind: u8, value: u64) {
    bytes.push(kind << 5 | 27);
    bytes.extend(value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({"a": [1, -2, 2.5, true, null, "ü"], "b": {}, "StateUpdatedTimestamp": 1_764_000_000.5});
        assert_eq!(read(&write(&value)), Some(value));
    }

    #[test]
    fn maps_and_lists_of_unknown_length_are_read() {
        // {"n": ["x", 24]}, each of unknown length.
        let bytes = [0xbf, 0x61, b'n', 0x9f, 0x61, b'x', 0x18, 24, 0xff, 0xff];
        assert_eq!(read(&bytes), Some(json!({"n": ["x", 24]})));
    }
}
