//! Tables for people and for spreadsheets.

use std::io::Write;

use super::failure::Failure;

/// A table whose columns are as wide as their widest cell.
#[derive(Debug, Default)]
pub(crate) struct Table {
    head: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads; one that starts with `>` is of numbers, set to the right.
    pub(crate) fn new(head: &[&str]) -> Self {
        let right = head.iter().map(|name| name.starts_with('>')).collect();
        let head = head.iter().map(|name| name.trim_start_matches('>').to_owned()).collect();
        Self { head, right, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes it for people, indented by two.
    pub(crate) fn write(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).chain(self.head.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        self.line(out, &self.head, &widths)?;
        let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        self.line(out, &rules, &widths)?;
        for row in &self.rows {
            self.line(out, row, &widths)?;
        }
        Ok(())
    }

    fn line(&self, out: &mut dyn Write, cells: &[String], widths: &[usize]) -> Result<(), Failure> {
        let mut line = String::from("  ");
        for ((cell, width), right) in cells.iter().zip(widths).zip(&self.right) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (before, after) = if *right { (gap.as_str(), "") } else { ("", gap.as_str()) };
            line.push_str(before);
            line.push_str(cell);
            line.push_str(after);
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
        Ok(())
    }

    /// Writes it as CSV, no cell of which a spreadsheet will run.
    pub(crate) fn write_csv(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let mut csv = csv::Writer::from_writer(out);
        for row in std::iter::once(&self.head).chain(&self.rows) {
            csv.write_record(row.iter().map(|cell| inert(cell).into_owned())).map_err(csv_failure)?;
        }
        csv.flush()?;
        Ok(())
    }
}

fn csv_failure(error: csv::Error) -> Failure {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        other => Failure::found(format!("{other:?}")),
    }
}

/// The cell, made inert: what begins with `=`, `+`, `-`, `@`, a tab or a return is a formula to a spreadsheet, unless
/// it is a plain number, and gets an apostrophe in front (OWASP, "CSV injection").
pub(crate) fn inert(cell: &str) -> std::borrow::Cow<'_, str> {
    let dangerous = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let number = !cell.starts_with('+') && cell.parse::<f64>().is_ok_and(f64::is_finite);
    if dangerous && !number { format!("'{cell}").into() } else { cell.into() }
}

/// A text that is safe to print on a terminal: control characters could move its cursor or change its title.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|symbol| if symbol.is_control() { ' ' } else { symbol }).collect()
}

/// A count with narrow spaces (French) between thousands.
pub(crate) fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if count < 0 { format!("-{text}") } else { text }
}

/// An amount of cents as people write it, in euros.
pub(crate) fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.abs();
    format!("{sign}{},{:02} €", grouped(cents / 100), cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            ("+33 6 12 34 56 78", "'+33 6 12 34 56 78"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-cmd|'/C calc'!A0", "'-cmd|'/C calc'!A0"),
            ("\t=1", "'\t=1"),
            ("-12.5", "-12.5"),
            ("-2+3", "'-2+3"),
            ("-inf", "'-inf"),
            ("rue des Écoles", "rue des Écoles"),
            ("", ""),
        ] {
            assert_eq!(inert(cell), safe);
        }
    }

    #[test]
    fn a_table_is_aligned_and_its_csv_quoted() {
        let mut table = Table::new(&["stage", ">requests"]);
        table.row(vec!["reçu".into(), "12".into()]);
        table.row(vec!["a,\"b\"".into(), "1 024".into()]);
        let (mut human, mut csv) = (Vec::new(), Vec::new());
        table.write(&mut human).unwrap();
        table.write_csv(&mut csv).unwrap();
        insta::assert_snapshot!(String::from_utf8(human).unwrap(), @r#"
          stage  requests
          ─────  ────────
          reçu         12
          a,"b"     1 024
        "#);
        assert_eq!(String::from_utf8(csv).unwrap(), "stage,requests\nreçu,12\n\"a,\"\"b\"\"\",1 024\n");
    }

    #[test]
    fn numbers_are_written_as_in_french() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(12), "12");
        assert_eq!(euros(-123_405), "-1\u{202f}234,05 €");
    }
}
