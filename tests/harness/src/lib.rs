//! Starts the real parts on this machine, for the tests, `cargo gameday` and `cargo speed`: PostgreSQL, an AWS endpoint,
//! the Lambda Runtime API with the real function binaries, the CDK.
//!
//! | part | what for |
//! | --- | --- |
//! | [`Postgres`], [`Database`] | a real server, a database for each test |
//! | [`CountingProxy`] | counts its round trips, cuts and refuses connections |
//! | [`Function`] | a real function binary behind the real Runtime API |
//! | [`functions`] | builds such binaries and lays them out for the CDK |
//! | [`Aws`], [`Deployment`] | an AWS endpoint, and functions in it without the CDK |
//! | [`AwsProxy`], [`Failure`] | counts calls of AWS, fails, changes and watches them |
//! | [`AlarmHop`], [`alarm_event`] | takes an alarm to the functions of the deployed rules |
//! | [`Cdk`] | the CDK app of `infra/` |
//! | [`eventually`] | waits for a condition, with a bound |
//!
//! It needs cargo, Python 3.10 with venv, and for the CDK Node 20; it needs neither root nor Docker, and no network but
//! that of the ordinary pip and npm clients, once. Whatever it starts ends with the process that started it.

mod alarm;
pub mod aws;
mod aws_proxy;
mod cbor;
mod cdk;
mod counting_proxy;
mod deploy;
mod error;
mod function;
pub mod functions;
mod guardian;
mod operation;
pub mod paths;
mod pg_wire;
mod postgres;
mod runtime_api;
pub mod tools;
mod wait;

pub use alarm::{AlarmHop, Delivery, alarm_event};
pub use aws::Aws;
pub use aws_proxy::{AwsProxy, Failure};
pub use cdk::Cdk;
pub use counting_proxy::CountingProxy;
pub use deploy::Deployment;
pub use error::{Error, FunctionError, Result};
pub use function::{Function, FunctionBuilder};
pub use guardian::Guarded;
pub use operation::{Operation, Protocol};
pub use postgres::{APPLICATION, Database, Postgres, PostgresBuilder, SUPERUSER};
pub use wait::eventually;
