//! How the database is reached.

use std::fmt;

/// How the database is reached.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseAccess {
    /// `DATABASE_URL`.
    Url(String),
    /// `DATABASE_SECRET_ARN`: a secret as RDS keeps it (host, port, dbname, username, password). What it lacks (one that RDS
    /// manages itself holds user and password only) comes from `DATABASE_HOST`, `DATABASE_PORT` and `DATABASE_NAME`.
    Secret {
        /// The secret.
        arn: String,
        /// Host name, where the secret has none.
        host: Option<String>,
        /// TCP port, where the secret has none.
        port: u16,
        /// Database name, where the secret has none.
        name: String,
    },
    /// `DATABASE_HOST`, `DATABASE_USER`, `DATABASE_IAM_AUTH=true`; optional `DATABASE_PORT` (5432) and `DATABASE_NAME`
    /// (`postgres`).
    Iam {
        /// Host name.
        host: String,
        /// TCP port.
        port: u16,
        /// Database user, one that has `rds_iam`.
        user: String,
        /// Database name.
        name: String,
    },
}

/// Without the password that a URL may hold.
impl fmt::Debug for DatabaseAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url(…)"),
            Self::Secret { arn, .. } => write!(f, "Secret({arn})"),
            Self::Iam { host, port, user, name } => write!(f, "Iam({user}@{host}:{port}/{name})"),
        }
    }
}
