//! One figure of the table.

use serde::Serialize;

/// A figure, what it was to be, and what it is.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub figure: String,
    /// The value, in `unit`.
    pub measured: f64,
    /// Of `measured` and `at_most`.
    pub unit: &'static str,
    /// The target; `None` for a figure that only explains others.
    #[serde(rename = "atMost")]
    pub at_most: Option<f64>,
    /// Whether the target is reached.
    pub reached: Option<bool>,
    /// What the figure rests on, and why it is not reached where it is not.
    pub why: String,
}

impl Figure {
    /// A figure with a target.
    pub fn aimed(figure: impl Into<String>, measured: f64, unit: &'static str, at_most: f64, why: String) -> Self {
        let reached = Some(measured <= at_most);
        Self { figure: figure.into(), measured, unit, at_most: Some(at_most), reached, why }
    }

    /// A figure that only explains others.
    pub fn told(figure: impl Into<String>, measured: f64, unit: &'static str, why: String) -> Self {
        Self { figure: figure.into(), measured, unit, at_most: None, reached: None, why }
    }

    fn value(&self, value: f64) -> String {
        let digits = match value {
            _ if value.fract() == 0.0 => 0,
            _ if value < 10.0 => 2,
            _ => 1,
        };
        format!("{value:.digits$} {}", self.unit)
    }
}

/// The figures as a table for the terminal.
pub fn table(figures: &[Figure]) -> String {
    let heading = ["figure", "measured", "target", "reached", "why, and what it rests on"].map(str::to_owned);
    let rows = figures.iter().map(|figure| {
        let reached = figure.reached.map_or("", |reached| if reached { "yes" } else { "no" });
        let target = figure.at_most.map_or(String::new(), |target| format!("≤ {}", figure.value(target)));
        [figure.figure.clone(), figure.value(figure.measured), target, reached.to_owned(), figure.why.clone()]
    });
    let rows: Vec<[String; 5]> = std::iter::once(heading).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
