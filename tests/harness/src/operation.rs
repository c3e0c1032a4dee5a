//! Which operation an AWS request is, and how its service words an error.

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The four ways in which the services used here speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The operation in a header, JSON in the body: Step Functions, EventBridge, SQS, Logs, Secrets Manager, SSM.
    Json,
    /// The operation in the method and path, JSON in the body: Lambda, Scheduler.
    Rest,
    /// A form in the body, XML in the answer: SNS, CloudFormation, RDS, IAM.
    Query,
    /// The operation in the path, CBOR in body and answer: CloudWatch, as today's SDK asks it.
    Cbor,
}

/// Which operation of AWS a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// How its service speaks.
    pub protocol: Protocol,
    /// The name that the API gives it; method and path where it is not known.
    pub name: String,
}

impl Operation {
    /// Reads it from a request.
    pub fn of(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let (protocol, name) = if let Some(name) = target(headers) {
            (Protocol::Json, name)
        } else if let Some(name) = action(headers, body) {
            (Protocol::Query, name)
        } else if let Some(name) = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/")) {
            (Protocol::Cbor, name.1.to_owned())
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
            Self::Cbor => {
                let body = cbor_texts(&[("__type", code), ("message", message)]);
                let headers = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
                (status, headers, body).into_response()
            }
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

/// A CBOR map of texts: <https://www.rfc-editor.org/rfc/rfc8949>.
fn cbor_texts(fields: &[(&str, &str)]) -> Vec<u8> {
    // A map of unknown length, whose end is marked.
    let chunk = |text: &str| {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&[0x7a], &length[..], text.as_bytes()].concat()
    };
    let pairs = fields.iter().flat_map(|(name, value)| [chunk(name), chunk(value)]);
    std::iter::once(vec![0xbf]).chain(pairs).chain([vec![0xff]]).flatten().collect()
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
            (
                "POST",
                "/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
                Some(("smithy-protocol", "rpc-v2-cbor")),
                "",
                Protocol::Cbor,
                "DescribeAlarms",
            ),
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
