//! Tables that fit the width: columns aligned, the last one cut.
//! Refuses unescaped text in a cell.

use dialoguer::console::{measure_text_width, truncate_str};

use crate::domain::text::shown;

/// Rows of cells.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this first row.
    pub fn new(header: &[&str]) -> Self {
        let mut table = Self::default();
        if !header.is_empty() {
            table.row(header.iter().map(|cell| (*cell).to_owned()));
        }
        table
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| shown(&cell)).collect());
    }

    /// Whether anything stands below the first row.
    pub fn has_rows(&self) -> bool {
        self.rows.len() > 1
    }

    /// The lines, none wider than `width`.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell_width = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |c| measure_text_width(c));
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().map(|row| cell_width(row, column)).max().unwrap_or(0))
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                for (column, cell) in row.iter().enumerate() {
                    line.push_str(cell);
                    if column + 1 < row.len() {
                        let gap = widths[column] - measure_text_width(cell) + 2;
                        line.extend(std::iter::repeat_n(' ', gap));
                    }
                }
                truncate_str(line.trim_end(), width, "…").into_owned()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_the_last_is_cut() {
        let mut table = Table::new(&["A", "b"]);
        table.row(["long".into(), "a reason of many words".into()]);
        table.row(["日本".into(), "x".into()]);
        assert_eq!(table.lines(16), ["A     b", "long  a reason …", "日本  x"]);
    }

    #[test]
    fn attack_16_cell_cannot_break_the_table() {
        let mut table = Table::new(&[]);
        table.row(["a\nb\u{1b}[2J".into()]);
        assert_eq!(table.lines(80), ["a\\u{a}b\\u{1b}[2J"]);
    }
}
