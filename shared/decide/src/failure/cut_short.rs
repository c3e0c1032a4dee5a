//! JSON that was cut somewhere: what of it is whole.

use serde_json::{Map, Value};

/// An object as far as it was told: the value in which it was cut counts where it is a text.
pub(super) fn object(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    // What closes what is open, and where the last value ended, with how much was open there.
    let (mut closing, mut whole) = (Vec::new(), None);
    let (mut in_text, mut escape) = (false, None);
    for (at, byte) in text.bytes().enumerate() {
        match (in_text, byte) {
            (true, b'\\') if escape.is_none_or(|escape| escape + 1 < at) => escape = Some(at),
            (true, b'"') if escape.is_none_or(|escape| escape + 1 < at) => in_text = false,
            (true, _) => {}
            (false, b'"') => (in_text, escape) = (true, None),
            (false, b'{') => closing.push('}'),
            (false, b'[') => closing.push(']'),
            (false, b'}' | b']') => {
                closing.pop();
                whole = Some((at + 1, closing.len()));
            }
            (false, b',') => whole = Some((at, closing.len())),
            (false, _) => {}
        }
    }
    let closed = |text: &str, open: usize| text.to_owned() + &closing[..open].iter().rev().collect::<String>();
    let in_its_text = in_text.then(|| {
        // An escape has at most six bytes.
        let end = escape.filter(|at| at + 6 > text.len()).unwrap_or(text.len());
        closed(&format!("{}\"", &text[..end]), closing.len())
    });
    let before = whole.map(|(end, open)| closed(&text[..end], open));
    [in_its_text, before].into_iter().flatten().find_map(|text| serde_json::from_str(&text).ok())
}
