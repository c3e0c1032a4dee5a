//! The sessions of the database that may be ended, and when.

use std::net::IpAddr;

use chrono::TimeDelta;

/// The sessions of the database that may be ended, and when (relieve-database).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPolicy {
    /// `DATABASE_APPLICATION_NAMES`: only sessions with one of these application names (`pg_stat_activity.application_name`) are ever
    /// ended. The application's functions where nothing else is set. A client that gives itself no name is `user:<user>`, or
    /// `user:<user>@<address or network>`.
    pub applications: Vec<String>,
    /// `IDLE_IN_TRANSACTION_SECONDS` (300): idle in a transaction for longer than this.
    pub idle_in_transaction: TimeDelta,
    /// `BLOCKING_SECONDS` (120): others wait for it for longer than this.
    pub blocking: TimeDelta,
    /// `LONG_QUERY_SECONDS` (900): one statement runs for longer than this.
    pub long_query: TimeDelta,
}

impl SessionPolicy {
    /// Whether sessions of this application may be ended; `client` is where this one comes from.
    #[must_use]
    pub fn allows(&self, application: &str, client: Option<IpAddr>) -> bool {
        self.applications.iter().any(|allowed| match allowed.split_once('@').filter(|_| allowed.starts_with(BY_USER)) {
            Some((user, network)) => user == application && client.is_some_and(|client| is_within(client, network)),
            None => allowed == application,
        })
    }
}

/// Whether it may stand in the list.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |name: &str| (1..=63).contains(&name.len());
    match name.strip_prefix(BY_USER) {
        None => fits(name),
        Some(user) => match user.split_once('@') {
            None => fits(user),
            Some((user, network)) => fits(user) && network_of(network).is_some(),
        },
    }
}

/// Before the user, in the name of a client that gives itself none.
const BY_USER: &str = "user:";

/// Whether an address is this one, or in this network (`10.0.0.0/16`).
fn is_within(address: IpAddr, network: &str) -> bool {
    fn bits(address: IpAddr) -> (u128, u32) {
        match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        }
    }
    let Some((of, prefix)) = network_of(network) else { return false };
    let ((one, width), (other, of_width)) = (bits(address), bits(of));
    let host = width.saturating_sub(prefix);
    width == of_width && one.checked_shr(host).unwrap_or(0) == other.checked_shr(host).unwrap_or(0)
}

/// An address and the length of its prefix.
fn network_of(text: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(width), |prefix| prefix.parse().ok())?;
    (prefix <= width).then_some((address, prefix))
}
