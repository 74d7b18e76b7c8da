//! Printing: tables for people, JSON for programs, errors on stderr.

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::admin::{AdminFailure, Code};

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// What a command has to say.
pub(super) enum Printed {
    /// It has said it.
    Nothing,
    /// A text, the same in every format.
    Text(String),
    /// One thing: its keys and values.
    Record(Value),
    /// Things, of which a table shows these keys.
    List(Value, &'static [&'static str]),
    /// One thing that tells of a failure, and the exit code.
    Failure(Value, Code),
}

/// Prints; the exit code tells of it.
pub(super) fn print(printed: &Printed, format: Format) -> ExitCode {
    let text = match (printed, format) {
        (Printed::Nothing, _) => String::new(),
        (Printed::Text(text), _) => text.clone(),
        (Printed::Record(value) | Printed::List(value, _) | Printed::Failure(value, _), Format::Json) => format!("{value:#}\n"),
        (Printed::Record(value) | Printed::Failure(value, _), Format::Table) => record(value),
        (Printed::List(value, columns), Format::Table) => table(value, columns),
    };
    let mut out = std::io::stdout().lock();
    // A reader that has gone, such as `head`, is no failure of ours.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match printed {
        Printed::Failure(_, code) => ExitCode::from(code.exit()),
        _ => ExitCode::SUCCESS,
    }
}

/// A list that is printed while its pages come.
pub(super) struct Pages {
    columns: &'static [&'static str],
    format: Format,
    is_begun: bool,
}

impl Pages {
    pub(super) const fn new(columns: &'static [&'static str], format: Format) -> Self {
        Self { columns, format, is_begun: false }
    }

    /// Prints the items of a page.
    pub(super) fn print(&mut self, page: &Value) -> std::io::Result<()> {
        let empty = Vec::new();
        let items = page.get("items").and_then(Value::as_array).unwrap_or(&empty);
        let mut text = String::new();
        match self.format {
            Format::Table if items.is_empty() && self.is_begun => {}
            Format::Table => text = rows(items, self.columns, !self.is_begun),
            Format::Json => {
                for (index, item) in items.iter().enumerate() {
                    text.push_str(if self.is_begun || index > 0 { ",\n" } else { "{\"items\":[\n" });
                    text.push_str(&item.to_string());
                }
            }
        }
        self.is_begun |= self.format == Format::Table || !items.is_empty();
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    }

    /// Ends what was begun.
    pub(super) fn end(&self) {
        let text: &[u8] = match (self.format, self.is_begun) {
            (Format::Table, _) => b"",
            (Format::Json, true) => b"\n],\"next\":null}\n",
            (Format::Json, false) => b"{\"items\":[],\"next\":null}\n",
        };
        // A reader that has gone is no failure of ours.
        let _ = std::io::stdout().write_all(text);
    }
}

/// Tells a person that a revocation is heard by nobody but this gateway, where certificates say so of themselves (RFC 9608).
pub(super) fn note_untold(said: &Value, format: Format) {
    let untold = match said.get("no_rev_avail") {
        Some(Value::Bool(true)) => "it says".to_owned(),
        Some(Value::Number(count)) if count.as_u64().is_some_and(|count| count > 0) => format!("{count} of them say"),
        _ => return,
    };
    if format == Format::Table {
        let note = format!(
            "note: {untold} that nobody is told what became of it (noRevAvail): no CRL lists it and OCSP has nothing to say; here it \
             authenticates nobody any more\n"
        );
        // A note that nobody can read is none.
        let _ = std::io::stderr().write_all(note.as_bytes());
    }
}

/// Says something on stderr that is no failure. A note that nobody can read is none.
pub(super) fn note(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Says why it failed.
pub(super) fn fail(failure: &AdminFailure, format: Format) -> ExitCode {
    let text = match format {
        Format::Json => serde_json::to_string(&failure.body()).unwrap_or_default() + "\n",
        Format::Table if failure.hint.is_empty() => format!("certgate: {}\n", failure.message),
        Format::Table => format!("certgate: {}\n  hint: {}\n", failure.message, failure.hint),
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(failure.code.exit())
}

/// Says what is wrong with the command line; also prints help and version, which come this way.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let is_json =
        arguments.windows(2).any(|pair| pair == ["--output", "json"]) || arguments.iter().any(|one| one == "--output=json");
    if error.use_stderr() && is_json {
        let text = error.to_string();
        // The first paragraph says what is wrong; the rest is how it is used.
        let paragraph: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let message = paragraph.join(" ").trim_start_matches("error: ").to_owned();
        return fail(&AdminFailure::usage(message).hint("certgate --help"), Format::Json);
    }
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Lines of key and value; those of an object within are called `outer.inner`.
fn record(value: &Value) -> String {
    let Some(fields) = value.as_object() else { return format!("{value}\n") };
    let of_part = |key: &str, part: &Map<String, Value>| -> Vec<(String, Value)> {
        part.iter().map(|(inner, value)| (format!("{key}.{inner}"), value.clone())).collect()
    };
    let fields: Vec<(String, Value)> = fields
        .iter()
        .flat_map(|(key, value)| {
            value.as_object().map_or_else(|| vec![(key.clone(), value.clone())], |part| of_part(key, part))
        })
        .collect();
    let width = fields.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| match cell(value) {
            text if text.contains('\n') => text,
            text => format!("{key:width$}  {text}\n"),
        })
        .collect()
}

fn table(value: &Value, columns: &[&str]) -> String {
    let empty = Vec::new();
    let items = value.get("items").and_then(Value::as_array).unwrap_or(&empty);
    let mut text = rows(items, columns, true);
    if let Some(next) = value.get("next").and_then(Value::as_str) {
        text.push_str(&format!("more: --cursor '{next}'\n"));
    }
    text
}

/// Lines of a table, each column as wide as its widest cell.
fn rows(items: &[Value], columns: &[&str], has_head: bool) -> String {
    let head = columns.iter().map(|column| column.replace('_', " ").to_uppercase()).collect();
    let rows = items.iter().map(|item| columns.iter().map(|column| cell(item.get(*column).unwrap_or(&Value::Null))).collect());
    let rows: Vec<Vec<String>> = has_head.then_some(head).into_iter().chain(rows).collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let told = fields.iter().filter(|(_, value)| !value.is_null());
            told.map(|(key, value)| format!("{key} {}", cell(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
