//! A progress bar, on a terminal only.

use std::io::Write;

/// A bar on standard error. In a pipe it draws nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: bool,
    drawn: Option<u64>,
}

impl Progress {
    /// A bar that is drawn if `terminal`.
    pub(crate) fn new(terminal: bool) -> Self {
        Self { terminal, drawn: None }
    }

    /// Draws it again if that changes anything.
    pub(crate) fn show(&mut self, done: u64, of: u64, words: &str) {
        const CELLS: u64 = 30;
        let percent = (done.min(of) * 100).checked_div(of).unwrap_or(100);
        if !self.terminal || self.drawn == Some(percent) {
            return;
        }
        self.drawn = Some(percent);
        let full = percent * CELLS / 100;
        let bar: String = (0..CELLS).map(|cell| if cell < full { '█' } else { '░' }).collect();
        // A terminal that went away is no reason to stop working.
        let _ = write!(std::io::stderr(), "\r\x1b[2K{bar} {percent:3} %  {words}");
        let _ = std::io::stderr().flush();
    }

    /// Takes it away.
    pub(crate) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
            let _ = std::io::stderr().flush();
        }
    }
}

/// What was drawn must not stay beside a message of failure.
impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
