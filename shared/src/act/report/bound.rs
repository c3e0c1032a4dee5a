//! How large JSON is, and how it is cut where it is too large.

use std::io;

use serde::Serialize;
use serde_json::Value;

/// Bytes of `value` as JSON, escapes included.
pub(super) fn size(value: &impl Serialize) -> usize {
    let mut bytes = Count(0);
    // Nothing of ours is refused: its names are texts, and counting does not fail.
    serde_json::to_writer(&mut bytes, value).map_or(usize::MAX, |()| bytes.0)
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Cuts, and counts what it leaves out.
pub(super) struct Cut {
    /// Characters of a text.
    pub(super) characters: usize,
    /// Values of a document, however nested they are.
    pub(super) values: usize,
    /// How many characters are left out of texts.
    pub(super) characters_less: usize,
    /// How many values are left out of lists and objects; what is within them is not counted.
    pub(super) values_less: usize,
}

impl Cut {
    /// Cuts a text to its beginning, and says in it how many characters are left out: `… [+1200]`.
    pub(super) fn text(&mut self, text: &mut String, characters: usize) {
        if let Some((end, _)) = text.char_indices().nth(characters) {
            let less = text[end..].chars().count();
            text.truncate(end);
            text.push_str(&format!("… [+{less}]"));
            self.characters_less += less;
        }
    }

    /// Cuts a document: its texts, and behind so many values its lists and objects, which say in them how many are left out.
    pub(super) fn document(&mut self, document: &mut Value) {
        let mut values = self.values;
        self.value(document, &mut values);
    }

    fn value(&mut self, value: &mut Value, left: &mut usize) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => self.text(text, self.characters),
            Value::Array(items) => {
                let kept = self.each(items.iter_mut(), left);
                let less = items.len() - kept;
                if less > 0 {
                    items.truncate(kept);
                    items.push(format!("… [+{less}]").into());
                }
            }
            Value::Object(fields) => {
                let kept = self.each(fields.values_mut(), left);
                let less = fields.len() - kept;
                let shortened = std::mem::take(fields).into_iter().take(kept).map(|(mut name, value)| {
                    self.text(&mut name, self.characters);
                    (name, value)
                });
                *fields = shortened.collect();
                if less > 0 {
                    fields.insert("…".to_owned(), format!("[+{less}]").into());
                }
            }
        }
    }

    /// Cuts values as long as there are some left to keep; how many are kept.
    fn each<'a>(&mut self, values: impl ExactSizeIterator<Item = &'a mut Value>, left: &mut usize) -> usize {
        let all = values.len();
        let mut kept = 0;
        for value in values {
            if *left == 0 {
                break;
            }
            *left -= 1;
            kept += 1;
            self.value(value, left);
        }
        self.values_less += all - kept;
        kept
    }
}
