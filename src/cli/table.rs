//! Tables for people.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableComponent, Width, presets};

/// The head of the column that wraps.
pub(super) const WORDS: &str = "in plain words";

/// What stands behind the name of an agreement that nobody has signed.
pub(super) const MARK: &str = "(illustrative)";

/// The width of a table where the terminal does not tell its own.
const WIDTH: u16 = 150;

/// A table with a head. Columns are as wide as what stands in them; the one of plain words takes what is left.
pub(super) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    for line in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
        TableComponent::LeftBorderIntersections,
        TableComponent::RightBorderIntersections,
    ] {
        table.remove_style(line);
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    table.set_width(columns.unwrap_or(WIDTH));
    for (index, name) in head.iter().enumerate() {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(match *name {
                WORDS => ColumnConstraint::LowerBoundary(Width::Fixed(40)),
                _ => ColumnConstraint::ContentWidth,
            });
        }
    }
    table
}

/// Marks an agreement that nobody has signed, wherever it is named.
pub(super) fn agreement(name: &str, status: crate::agreement::Status) -> String {
    match status {
        crate::agreement::Status::Signed => name.to_owned(),
        crate::agreement::Status::Illustrative => format!("{name} {MARK}"),
    }
}
