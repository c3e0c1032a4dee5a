//! How requests are read and answers written, whichever way their service speaks.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use harness::{Operation, Protocol};
use serde_json::{Value, json};

use super::{Answered, cbor, query};

/// What is asked, as JSON; names in a path are fields like the others.
pub(super) fn asked(operation: &Operation, head: &Parts, body: &[u8]) -> Result<Value, String> {
    let json = |bytes: &[u8]| match bytes {
        [] => Ok(json!({})),
        bytes => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
    };
    match operation.protocol {
        Protocol::Json => json(body),
        Protocol::Query => Ok(query::read(&String::from_utf8_lossy(body))),
        Protocol::Cbor if body.is_empty() => Ok(json!({})),
        Protocol::Cbor => cbor::read(body).ok_or_else(|| "the CBOR cannot be read".to_owned()),
        Protocol::Rest => {
            let mut asked = match operation.name.as_str() {
                "Invoke" => json!({ "Payload": json(body)? }),
                _ => json(body)?,
            };
            let parts: Vec<String> = head.uri.path().trim_matches('/').split('/').map(decoded).collect();
            if let [_, kind, name, rest @ ..] = &parts[..]
                && kind == "functions"
            {
                // A name, a partial ARN or an ARN; with a qualifier or without.
                let name = name.rsplit_once(":function:").map_or(name.as_str(), |(_, name)| name);
                let (name, qualifier) = name.split_once(':').map_or((name, None), |(name, of)| (name, Some(of)));
                asked["FunctionName"] = name.into();
                if let Some(qualifier) = qualifier {
                    asked["Qualifier"] = qualifier.into();
                }
                if let [aliases, alias] = rest
                    && aliases == "aliases"
                {
                    asked["Name"] = alias.as_str().into();
                }
            }
            for pair in head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                asked[decoded(name)] = decoded(value).into();
            }
            Ok(asked)
        }
    }
}

/// The answer as its caller reads it.
pub(super) fn answer(operation: &Operation, answered: Answered) -> Response {
    let answer = match answered {
        Ok(answer) => answer,
        Err(fault) => {
            let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
            return operation.protocol.error(status, &fault.code, &fault.message);
        }
    };
    let (content_type, body) = match operation.protocol {
        Protocol::Json => ("application/x-amz-json-1.1", Body::from(answer.to_string())),
        Protocol::Query => ("text/xml", query::write(&operation.name, &answer).into()),
        Protocol::Cbor => ("application/cbor", cbor::write(&answer).into()),
        Protocol::Rest if answer.is_null() => ("application/json", Body::empty()),
        Protocol::Rest => ("application/json", answer.to_string().into()),
    };
    let status = match operation.name.as_str() {
        "Invoke" | "PutProvisionedConcurrencyConfig" => StatusCode::ACCEPTED,
        "PublishVersion" | "CreateAlias" => StatusCode::CREATED,
        name if name.starts_with("Delete") => StatusCode::NO_CONTENT,
        _ => StatusCode::OK,
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if operation.protocol == Protocol::Cbor {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    (status, headers, body).into_response()
}

/// Whether a field is a time, by its name.
pub(super) fn is_time(name: &str) -> bool {
    name.ends_with("Timestamp") || name.ends_with("Timestamps")
}

/// A text without its percent signs.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
