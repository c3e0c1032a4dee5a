//! Where a function logs, and how: `LoggingConfig` of its configuration. Only a function that is gone logs where Lambda puts it by itself.

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{LogFormat, LoggingConfig};

use super::report::Format;
use crate::gather::config::Config;
use crate::gather::error::Error;

/// A function's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The log group.
    pub name: String,
    /// How lines are written.
    pub format: Format,
}

impl Group {
    /// What a function's configuration says; what it leaves open is Lambda's default.
    #[must_use]
    pub fn told(function: &str, logging: Option<&LoggingConfig>) -> Self {
        let named = logging.and_then(|logging| logging.log_group()).filter(|name| !name.is_empty());
        Self {
            name: named.map_or_else(|| format!("/aws/lambda/{function}"), str::to_owned),
            format: match logging.and_then(|logging| logging.log_format()) {
                Some(LogFormat::Json) => Format::Json,
                _ => Format::Text,
            },
        }
    }

    /// Asks Lambda (GetFunctionConfiguration, of what an alias' callers run).
    ///
    /// # Errors
    /// [`Error::Aws`], but not for a function that does not exist: its log may still be there.
    pub async fn of(aws: &SdkConfig, function: &str, alias: Option<&str>) -> Result<Self, Error> {
        let ask = Client::new(aws).get_function_configuration().function_name(function);
        let told = ask.set_qualifier(alias.map(str::to_owned)).send().await;
        match told.map_err(Error::aws("GetFunctionConfiguration")) {
            Ok(told) => Ok(Self::told(function, told.logging_config())),
            Err(error) if error.is_not_found() => Ok(Self::told(function, None)),
            Err(error) => Err(error),
        }
    }
}

/// Where something is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// Where this function logs, its configuration tells.
    Function(&'a str),
    /// In this group. What is written there may be JSON or not.
    Group(&'a str),
}

impl<'a> Source<'a> {
    /// Where the application logs: the groups that its profile names, else these functions'.
    #[must_use]
    pub fn of(config: &'a Config, functions: &'a [String]) -> Vec<Self> {
        match config.profile.log_groups.as_slice() {
            [] => functions.iter().map(|function| Self::Function(function)).collect(),
            groups => groups.iter().map(|group| Self::Group(group)).collect(),
        }
    }

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'a str {
        match self {
            Self::Function(name) | Self::Group(name) => name,
        }
    }

    /// Its log group.
    ///
    /// # Errors
    /// As [`Group::of`].
    pub async fn group(self, aws: &SdkConfig, config: &Config) -> Result<Group, Error> {
        match self {
            Self::Function(function) => Group::of(aws, function, config.alias_of(function)).await,
            Self::Group(name) => Ok(Group { name: name.to_owned(), format: Format::Text }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_logs_where_its_configuration_says() {
        let logging = LoggingConfig::builder();
        for (told, name, format) in [
            (None, "/aws/lambda/worker", Format::Text),
            (Some(logging.clone().build()), "/aws/lambda/worker", Format::Text),
            (Some(logging.clone().log_format(LogFormat::Json).build()), "/aws/lambda/worker", Format::Json),
            (Some(logging.log_format(LogFormat::Text).log_group("app/Worker-1").build()), "app/Worker-1", Format::Text),
        ] {
            let expected = Group { name: name.to_owned(), format };
            assert_eq!(Group::told("worker", told.as_ref()), expected, "{told:?}");
        }
    }
}
