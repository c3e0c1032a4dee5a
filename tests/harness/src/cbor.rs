//! JSON as CBOR, for the answers of services that speak it: <https://www.rfc-editor.org/rfc/rfc8949>.

use serde_json::Value;

/// A text that is a time, as RFC 3339 has it, becomes a time (tag 1), for a payload of JSON has no other way to say so.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, &mut bytes);
    bytes
}

fn put(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(no_or_yes) => bytes.push(if *no_or_yes { 0xf5 } else { 0xf4 }),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(whole), ..) => head(0, whole, bytes),
            (None, Some(below), _) => head(1, below.unsigned_abs() - 1, bytes),
            (None, None, float) => put_float(float.unwrap_or_default(), bytes),
        },
        Value::String(text) => match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(at) => {
                bytes.push(0xc1);
                put_float(f64::from(i32::try_from(at.timestamp()).unwrap_or(i32::MAX)), bytes);
            }
            Err(_) => put_text(text, bytes),
        },
        Value::Array(items) => {
            head(4, items.len() as u64, bytes);
            items.iter().for_each(|item| put(item, bytes));
        }
        Value::Object(fields) => {
            head(5, fields.len() as u64, bytes);
            for (name, value) in fields {
                put_text(name, bytes);
                put(value, bytes);
            }
        }
    }
}

fn put_text(text: &str, bytes: &mut Vec<u8>) {
    head(3, text.len() as u64, bytes);
    bytes.extend(text.as_bytes());
}

fn put_float(float: f64, bytes: &mut Vec<u8>) {
    bytes.push(0xfb);
    bytes.extend(float.to_be_bytes());
}

/// A kind with a number of eight bytes: long, but always right.
fn head(kind: u8, number: u64, bytes: &mut Vec<u8>) {
    bytes.push(kind << 5 | 27);
    bytes.extend(number.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::encode;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_has_its_form() {
        assert_eq!(encode(&json!(null)), [0xf6]);
        assert_eq!(encode(&json!([true])), [&[0x9b, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0xf5]].concat());
        assert_eq!(encode(&json!("a")), [0x7b, 0, 0, 0, 0, 0, 0, 0, 1, b'a']);
        assert_eq!(encode(&json!(-1)), [0x3b, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(encode(&json!(1.5))[..3], [0xfb, 0x3f, 0xf8]);
        assert_eq!(encode(&json!("1970-01-01T00:00:01Z"))[..4], [0xc1, 0xfb, 0x3f, 0xf0]);
    }
}
