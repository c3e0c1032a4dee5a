//! Which operation an AWS request is, and how its service words an error.

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The three ways in which the services used here speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The operation in a header, JSON in the body: Step Functions, EventBridge, SQS, Logs, Secrets Manager, SSM.
    Json,
    /// The operation in the method and path, JSON in the body: Lambda, Scheduler.
    Rest,
    /// A form in the body, XML in the answer: SNS, CloudFormation, RDS, IAM.
    Query,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub protocol: Protocol,
    pub name: String,
}

impl Operation {
    pub fn of(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let (protocol, name) = if let Some(name) = target(headers) {
            (Protocol::Json, name)
        } else if let Some(name) = action(headers, body) {
            (Protocol::Query, name)
        } else {
            (Protocol::Rest, rest(method, path).map_or_else(|| format!("{method} {path}"), str::to_owned))
        };
        Self { protocol, name }
    }
}

fn target(headers: &HeaderMap) -> Option<String> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    target.rsplit('.').next().map(str::to_owned)
}

fn action(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let form = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.starts_with("application/x-www-form-urlencoded");
    let body = std::str::from_utf8(body).ok().filter(|_| form)?;
    body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned)
}

/// The operations of Lambda and Scheduler that a remediation uses. The first part of the path is a date that differs by
/// operation and says nothing.
fn rest(method: &Method, path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    Some(match (method.as_str(), &parts[..]) {
        ("GET", [_, "functions"]) => "ListFunctions",
        ("POST", [_, "functions"]) => "CreateFunction",
        ("GET", [_, "functions", _]) => "GetFunction",
        ("DELETE", [_, "functions", _]) => "DeleteFunction",
        ("POST", [_, "functions", _, "invocations"]) => "Invoke",
        ("GET", [_, "functions", _, "configuration"]) => "GetFunctionConfiguration",
        ("PUT", [_, "functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("PUT", [_, "functions", _, "code"]) => "UpdateFunctionCode",
        ("GET", [_, "functions", _, "concurrency"]) => "GetFunctionConcurrency",
        ("PUT", [_, "functions", _, "concurrency"]) => "PutFunctionConcurrency",
        ("DELETE", [_, "functions", _, "concurrency"]) => "DeleteFunctionConcurrency",
        ("GET", [_, "functions", _, "provisioned-concurrency"]) => "GetProvisionedConcurrencyConfig",
        ("PUT", [_, "functions", _, "provisioned-concurrency"]) => "PutProvisionedConcurrencyConfig",
        ("DELETE", [_, "functions", _, "provisioned-concurrency"]) => "DeleteProvisionedConcurrencyConfig",
        ("GET", [_, "functions", _, "versions"]) => "ListVersionsByFunction",
        ("POST", [_, "functions", _, "versions"]) => "PublishVersion",
        ("GET", [_, "functions", _, "aliases"]) => "ListAliases",
        ("POST", [_, "functions", _, "aliases"]) => "CreateAlias",
        ("GET", [_, "functions", _, "aliases", _]) => "GetAlias",
        ("PUT", [_, "functions", _, "aliases", _]) => "UpdateAlias",
        ("GET", [_, "account-settings"]) => "GetAccountSettings",
        ("POST", ["schedules", _]) => "CreateSchedule",
        ("GET", ["schedules", _]) => "GetSchedule",
        ("PUT", ["schedules", _]) => "UpdateSchedule",
        ("DELETE", ["schedules", _]) => "DeleteSchedule",
        _ => return None,
    })
}

impl Protocol {
    /// An error in the form that this protocol's clients read.
    pub fn error(self, status: StatusCode, code: &str, message: &str) -> Response {
        match self {
            Self::Json | Self::Rest => {
                let body = json!({"__type": code, "message": message});
                (status, [("x-amzn-errortype", code)], axum::Json(body)).into_response()
            }
            Self::Query => {
                let message = message.replace('&', "&amp;").replace('<', "&lt;");
                let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
                let body = format!(
                    "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
                );
                (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[test]
    fn operations_are_known_by_header_form_or_path() {
        let cases = [
            (
                "POST",
                "/",
                Some(("x-amz-target", "AWSStepFunctions.StopExecution")),
                "{}",
                Protocol::Json,
                "StopExecution",
            ),
            (
                "POST",
                "/",
                Some(("content-type", "application/x-www-form-urlencoded")),
                "Action=Publish&Version=2010-03-31",
                Protocol::Query,
                "Publish",
            ),
            ("POST", "/2015-03-31/functions/worker/invocations", None, "{}", Protocol::Rest, "Invoke"),
            ("PUT", "/2017-10-31/functions/worker/concurrency", None, "{}", Protocol::Rest, "PutFunctionConcurrency"),
            ("GET", "/somewhere/else", None, "", Protocol::Rest, "GET /somewhere/else"),
        ];
        for (method, path, header, body, protocol, name) in cases {
            let headers = header.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            let method = method.parse().unwrap_or_default();
            let seen = Operation::of(&method, path, &headers.into_iter().collect(), body.as_bytes());
            assert_eq!(seen, Operation { protocol, name: name.into() });
        }
    }
}
