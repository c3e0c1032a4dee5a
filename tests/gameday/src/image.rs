//! What a row says, shortened.

use serde_json::Value;

/// What a row says, shortened.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Image {
    pub status: String,
    /// `None`: the application keeps none.
    pub progress: Option<i64>,
    pub code: Option<String>,
}

impl Image {
    /// Of the ledger's images.
    pub fn of_json(image: &Value) -> Self {
        Self {
            status: image["status"].as_str().unwrap_or_default().to_owned(),
            progress: image["progress"].as_i64(),
            // Some applications keep it as Step Functions calls it.
            code: ["code", "Error"].iter().find_map(|key| image["error"][key].as_str()).map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.status)?;
        self.progress.map_or(Ok(()), |progress| write!(f, " {progress} %"))?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " {code}"))
    }
}
