//! The one connection of a container.
//!
//! A Lambda container handles one event at a time, so one connection is enough and a pool would only add pings to it.
//! It is made when it is needed, kept while it works, and made anew when it was lost (a frozen container's may be
//! reset). Every new one reads the secret, or makes its token, again: rotation needs no restart.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};

use crate::gather::config::access::DatabaseAccess;
use crate::gather::error::Error;

/// A down database has to be an error of ours, not the Lambda's timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How to connect, and the connection once it is made.
#[derive(Debug)]
pub struct Database {
    access: DatabaseAccess,
    application_name: String,
    connection: Option<PgConnection>,
}

impl Database {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(access: DatabaseAccess, step: &str) -> Self {
        Self { access, application_name: format!("remediation/{step}"), connection: None }
    }

    /// The connection, made if there is none.
    ///
    /// # Errors
    /// [`Error::Database`] or, for the secret, [`Error::Aws`].
    pub async fn connection(&mut self, aws: &SdkConfig) -> Result<&mut PgConnection, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(aws).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Whether there is a connection; it may have been lost without a word.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Forgets a connection that was lost.
    pub fn forget(&mut self) {
        self.connection = None;
    }

    async fn connect(&self, aws: &SdkConfig) -> Result<PgConnection, Error> {
        let options = match &self.access {
            DatabaseAccess::Url(url) => url.parse::<PgConnectOptions>().map_err(|error| {
                Error::Configuration(vec![format!(
                    "DATABASE_URL must be of the form postgres://<user>:<password>@<host>:<port>/<database>: {}",
                    Error::words(&error)
                )])
            })?,
            DatabaseAccess::Secret { arn, host, port, name } => {
                options_of_secret(&secret(arn, aws).await?, host.as_deref(), *port, name)?
            }
            DatabaseAccess::Iam { host, port, user, name } => PgConnectOptions::new_without_pgpass()
                .host(bare(host))
                .port(*port)
                .username(user)
                .database(name)
                .password(&iam_token(host, *port, user, aws, SystemTime::now()).await?)
                .ssl_mode(PgSslMode::Require),
        };
        let host = bare(options.get_host()).to_owned();
        let options = if host == options.get_host() { options } else { options.host(&host) };
        // Slow statements are told by the run's own record.
        let options = options.application_name(&self.application_name).disable_statement_logging();
        match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
            Ok(connected) => connected.map_err(Error::database("connecting")),
            Err(_) => Err(Error::silence("connecting", CONNECT_TIMEOUT)),
        }
    }
}

/// A host as a socket wants it: in a URL an IPv6 address stands in brackets.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

async fn secret(arn: &str, aws: &SdkConfig) -> Result<String, Error> {
    let answer = aws_sdk_secretsmanager::Client::new(aws)
        .get_secret_value()
        .secret_id(arn)
        .send()
        .await
        .map_err(Error::aws("GetSecretValue"))?;
    Ok(answer.secret_string().unwrap_or_default().to_owned())
}

/// Where a secret leads; `host`, `port` and `name` are for what it lacks.
fn options_of_secret(text: &str, host: Option<&str>, port: u16, name: &str) -> Result<PgConnectOptions, Error> {
    let unfit = |what: String| {
        Error::Configuration(vec![format!(
            "the secret in DATABASE_SECRET_ARN must be JSON with username, password and optionally host, port, dbname, sslmode: {what}"
        )])
    };
    // The parser's message may quote the text, and the text holds a password.
    let secret: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        unfit(format!("it is no JSON (line {line}, column {column})"))
    })?;
    if !secret.is_object() {
        return Err(unfit("it is JSON, but no object".to_owned()));
    }
    // What nobody has filled in is not there.
    let text = |name: &str| match &secret[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(unfit(format!("`{name}` must be a text")))
        }
    };
    let needed = |name: &str| text(name)?.ok_or_else(|| unfit(format!("it has no `{name}`")));
    let (username, password) = (needed("username")?, needed("password")?);
    let host =
        text("host")?.or(host).ok_or_else(|| unfit("it has no `host`, so DATABASE_HOST must be set".to_owned()))?;
    // Terraform and people write a port as a text.
    let port = match &secret["port"] {
        Value::Null => Some(port),
        Value::Number(number) => number.as_u64().and_then(|port| u16::try_from(port).ok()),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let port =
        port.filter(|port| *port > 0).ok_or_else(|| unfit("`port` must be a number from 1 to 65535".to_owned()))?;
    // Not RDS's own: for a database that has no TLS.
    let mode = text("sslmode")?.unwrap_or("require");
    Ok(PgConnectOptions::new_without_pgpass()
        .host(bare(host))
        .port(port)
        .username(username)
        .password(password)
        .database(text("dbname")?.unwrap_or(name))
        .ssl_mode(mode.parse().map_err(|_| {
            let modes = "disable, allow, prefer, require, verify-ca, verify-full";
            unfit(format!("`sslmode` is `{mode}` and must be one of {modes}"))
        })?))
}

/// A token for IAM database authentication: a presigned request for `rds-db:connect`, without its scheme. It is checked
/// at connect only and lives for 15 minutes.
async fn iam_token(host: &str, port: u16, user: &str, aws: &SdkConfig, at: SystemTime) -> Result<String, Error> {
    let fault = |what: String| Error::Configuration(vec![format!("DATABASE_IAM_AUTH: {what}")]);
    let region = aws.region().ok_or_else(|| fault("AWS_REGION is not set".into()))?;
    let provider = aws.credentials_provider().ok_or_else(|| fault("there are no AWS credentials".into()))?;
    let credentials = aws_sdk_sfn::config::ProvideCredentials::provide_credentials(&provider)
        .await
        .map_err(|error| fault(format!("the AWS credentials cannot be read: {error}")))?;
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(900));
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_ref())
        .name("rds-db")
        .time(at)
        .settings(settings)
        .build()
        .map_err(|error| fault(error.to_string()))?
        .into();
    let url = format!("https://{host}:{port}/?Action=connect&DBUser={user}");
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
        .map_err(|error| fault(error.to_string()))?;
    let (instructions, _) = sign(request, &parameters).map_err(|error| fault(error.to_string()))?.into_parts();
    let mut token = url.trim_start_matches("https://").to_owned();
    for (name, value) in instructions.params() {
        token.push('&');
        token.push_str(name);
        token.push('=');
        token.extend(value.bytes().map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        }));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::config::{Credentials, Region, SharedCredentialsProvider};

    #[tokio::test]
    async fn an_iam_token_is_a_presigned_request_for_this_user_and_host() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session/token+".into()), None, "test");
        let aws = SdkConfig::builder()
            .region(Region::new("ap-northeast-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_000_000);
        let token = iam_token("db.example.com", 5432, "remediation", &aws, at).await.unwrap();
        assert!(token.starts_with("db.example.com:5432/?Action=connect&DBUser=remediation&"), "{token}");
        for part in [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKIDEXAMPLE%2F20251124%2Fap-northeast-1%2Frds-db%2Faws4_request",
            "X-Amz-Date=20251124T160000Z",
            "X-Amz-Expires=900",
            "X-Amz-SignedHeaders=host",
            "X-Amz-Security-Token=session%2Ftoken%2B",
            "X-Amz-Signature=",
        ] {
            assert!(token.contains(part), "{part} is not in {token}");
        }
    }

    #[test]
    fn a_secret_that_is_unfit_is_not_quoted() {
        // (the secret, the field that is named)
        for (text, named) in [
            ("", "no JSON"),
            ("hunter2", "no JSON"),
            ("\"hunter2\"", "no object"),
            (r#"{"host":"h","username":"u","password":["hunter2"]}"#, "`password` must be a text"),
            (r#"{"password":"hunter2"}"#, "no `username`"),
            (r#"{"username":" ","password":"hunter2"}"#, "no `username`"),
            (r#"{"username":"u","password":"hunter2","host":""}"#, "no `host`"),
            (r#"{"username":"u","password":"hunter2","host":"h","dbname":7}"#, "`dbname` must be a text"),
            (r#"{"username":"u","password":"hunter2","host":"h","sslmode":"on"}"#, "`sslmode` is `on`"),
        ] {
            let error = options_of_secret(text, None, 5432, "postgres").unwrap_err().to_string();
            assert!(error.contains("DATABASE_SECRET_ARN") && error.contains(named), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let blank = r#"{"username":"u","password":"p","host":"","dbname":"","sslmode":""}"#;
        let options = options_of_secret(blank, Some("h"), 5432, "d").unwrap();
        assert_eq!((options.get_host(), options.get_database()), ("h", Some("d")));
    }

    #[test]
    fn a_secret_of_rds_is_enough() {
        let text = r#"{"engine":"postgres","host":"h","port":5433,"dbname":"d","username":"u","password":"p"}"#;
        let options = options_of_secret(text, Some("other"), 5432, "other").unwrap();
        assert_eq!((options.get_host(), options.get_port(), options.get_database()), ("h", 5433, Some("d")));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
    }

    #[test]
    fn a_port_may_be_a_text_and_what_is_none_is_named() {
        let of = |port: &str| format!(r#"{{"host":"h","port":{port},"username":"u","password":"hunter2"}}"#);
        for port in ["5433", "\"5433\"", "\" 5433 \""] {
            assert_eq!(options_of_secret(&of(port), None, 1, "d").unwrap().get_port(), 5433, "{port}");
        }
        assert_eq!(options_of_secret(&of("null"), None, 5434, "d").unwrap().get_port(), 5434);
        for port in ["\"\"", "\"x\"", "0", "65536", "-1", "1.5", "1e400"] {
            let error = options_of_secret(&of(port), None, 1, "d").unwrap_err().to_string();
            assert!(error.contains("DATABASE_SECRET_ARN") && !error.contains("hunter2"), "{port}: {error}");
        }
        let error = options_of_secret(&of("\"x\""), None, 1, "d").unwrap_err().to_string();
        assert!(error.contains("`port` must be a number from 1 to 65535"), "{error}");
    }

    #[test]
    fn an_address_of_ipv6_loses_its_brackets() {
        for (host, bared) in [("[::1]", "::1"), ("::1", "::1"), ("db.example.com", "db.example.com"), ("[", "[")] {
            assert_eq!(bare(host), bared);
        }
        let text = r#"{"host":"[::1]","username":"u","password":"p"}"#;
        assert_eq!(options_of_secret(text, None, 5432, "d").unwrap().get_host(), "::1");
    }

    #[test]
    fn a_secret_that_rds_manages_holds_user_and_password_only() {
        let text = r#"{"username":"u","password":"p"}"#;
        let options = options_of_secret(text, Some("h"), 5433, "d").unwrap();
        assert_eq!((options.get_host(), options.get_port(), options.get_database()), ("h", 5433, Some("d")));
        let error = options_of_secret(text, None, 5432, "d").unwrap_err().to_string();
        assert!(error.contains("DATABASE_HOST must be set"), "{error}");
    }
}
