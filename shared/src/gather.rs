//! What a run reads: its event, its settings, the database, AWS. Nothing here changes anything; what was seen of executions is remembered.

pub mod alarms;
pub mod config;
pub mod database;
pub mod error;
pub mod executions;
pub mod goals;
pub mod history;
pub mod indexes;
pub mod logs;
pub mod manifest;
pub mod pace;
pub mod parameters;
pub mod processes;
pub mod profile;
pub mod session;
pub mod sessions;
pub mod state_machine;
pub mod step_functions;
pub mod table;
pub mod table_name;
pub mod texts;
pub mod trigger;
pub mod worker;
