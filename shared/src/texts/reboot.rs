//! What `reboot-database` says.
