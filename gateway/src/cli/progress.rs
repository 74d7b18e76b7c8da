//! How far a long command has come, drawn on stderr for whoever sits at a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use hyper::Method;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Global;
use super::output::Format;
use crate::admin::AdminFailure;
use crate::admin::client::{ask, ask_and_watch};
use crate::admin::progress::ProgressResult;

/// What it looks like.
const TEMPLATE: &str = "{msg} [{bar:40}] {human_pos}/{human_len} ({percent}%), {eta} left";
/// What it looks like where the end is not known.
const ENDLESS: &str = "{msg}: {human_pos}";
/// How often it is drawn while nothing moves.
const TICK: Duration = Duration::from_millis(200);

/// Does anybody see it? Programs that read JSON do not, whatever they have on stderr.
const fn is_seen(format: Format, has_terminal: bool) -> bool {
    matches!(format, Format::Table) && has_terminal
}

fn is_wanted(format: Format) -> bool {
    is_seen(format, std::io::stderr().is_terminal())
}

/// Asks the gateway for what may take long, and draws how far it has come, in steps that are called so.
pub(super) async fn ask_at_length(
    global: &Global,
    steps: &'static str,
    (method, path): (Method, &str),
    body: Vec<u8>,
) -> Result<serde_json::Value, AdminFailure> {
    let socket = global.socket();
    if !is_wanted(global.output) {
        return ask(&socket, method, path, Some(body)).await;
    }
    let mut drawn: Option<Progress> = None;
    let draw = |ProgressResult { done, total }: ProgressResult| {
        if total > 0 {
            drawn.get_or_insert_with(|| Progress::new(steps, total, global.output)).set(done);
        }
    };
    ask_and_watch(&socket, (method, path), body, draw).await
}

/// A bar that is drawn over itself, and gone at the end.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of something that takes so many steps; 0 is not known. Nothing is drawn where there is no terminal, or JSON is printed.
    pub(super) fn new(what: &'static str, total: u64, format: Format) -> Self {
        let target = if is_wanted(format) { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target((total > 0).then_some(total), target).with_message(what);
        // A template that is wrong draws the library's own.
        if let Ok(style) = ProgressStyle::with_template(if total > 0 { TEMPLATE } else { ENDLESS }) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// So many steps are done.
    pub(super) fn set(&self, done: u64) {
        self.0.set_position(done.min(self.0.length().unwrap_or(done)));
    }

    /// Takes it away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one_and_steps_never_pass_the_end() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok() && ProgressStyle::with_template(ENDLESS).is_ok());
        let progress = Progress::new("events", 10, Format::Json);
        progress.set(4);
        assert_eq!(progress.0.position(), 4);
        progress.set(11);
        assert_eq!(progress.0.position(), 10);
        progress.finish();
        assert!(progress.0.is_finished());
    }

    #[test]
    fn it_is_for_people_at_a_terminal() {
        let all = [(Format::Table, true), (Format::Table, false), (Format::Json, true), (Format::Json, false)];
        assert_eq!(all.map(|(format, has_terminal)| is_seen(format, has_terminal)), [true, false, false, false]);
        assert!(Progress::new("events", 10, Format::Json).0.is_hidden());
    }
}
