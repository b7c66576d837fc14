//! The only writer to the terminal.
//! Owns text, tables, JSON, prompts and colour; escapes all text from people and backends here.
//! Refuses to decide anything: it is told what to say.

mod describe;
mod dry_run;
mod error_text;
mod lock;
mod prompt;
mod remaining;
mod status;
mod table;
mod targets;
mod terminal;
mod words;

pub use describe::{
    account_line, for_whom, from, goes_on_for, last_session, length, narrowed, needs, outlives, own_words, ticket,
};
pub use dry_run::dry_run_lines;
pub use error_text::{error_json, print_error};
pub use lock::{lock_line, lock_table, locks_on};
pub use remaining::what_still_works;
pub use status::{Open, history_table, inbox_table, request_details, status_sections};
pub use table::Table;
pub use targets::target_table;
pub use terminal::{ColourChoice, Format, State, Ui};
pub use words::{TimeWords, short_id, span};
