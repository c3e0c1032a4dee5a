//! The settings of the worker that are changed.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

/// What of the worker is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The function's timeout, in seconds.
    Timeout,
    /// The function's memory, in MB; its share of a processor grows with it.
    Memory,
    /// The function's reserved concurrency: how many runs there may be at once, of all versions together; none where it is not reserved.
    ReservedConcurrency,
    /// The alias's provisioned concurrency: how many environments are kept ready; none where there are none.
    ProvisionedConcurrency,
    /// When the code that runs was published once more, in seconds since 1970; none where it never was.
    Redeployment,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Timeout, Self::Memory, Self::ReservedConcurrency, Self::ProvisionedConcurrency, Self::Redeployment];

    /// Of the action that changes it, as the ledger spells it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Timeout => "set-worker-timeout",
            Self::Memory => "set-worker-memory",
            Self::ReservedConcurrency => "set-reserved-concurrency",
            Self::ProvisionedConcurrency => "set-provisioned-concurrency",
            Self::Redeployment => "redeploy-worker",
        }
    }

    /// The setting that an action of this kind changes.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.kind() == kind)
    }

    /// The settings whose change moves what this one is judged by: what was measured before says nothing any more. More memory is a
    /// faster processor, and whatever is published begins with cold starts.
    #[must_use]
    pub const fn judged_after(self) -> &'static [Self] {
        match self {
            Self::Timeout => &[Self::Timeout, Self::Memory],
            Self::Memory => &[Self::Memory],
            Self::ReservedConcurrency => &[Self::ReservedConcurrency],
            Self::ProvisionedConcurrency => {
                &[Self::ProvisionedConcurrency, Self::Timeout, Self::Memory, Self::Redeployment]
            }
            Self::Redeployment => &[],
        }
    }

    /// Its field in images and leases.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Timeout => "timeoutSeconds",
            Self::Memory => "memoryMb",
            Self::ReservedConcurrency => "reservedConcurrency",
            Self::ProvisionedConcurrency => "provisionedConcurrency",
            Self::Redeployment => "redeployedAt",
        }
    }

    /// What Lambda takes for a standard function. The API's model lets more through (Lambda quotas: 900 s, 10,240 MB), so it is
    /// clamped here.
    #[must_use]
    pub const fn bounds(self) -> RangeInclusive<u32> {
        match self {
            Self::Timeout => 1..=900,
            Self::Memory => 128..=10_240,
            // Reserving 0 would stop the worker altogether. How much there is is the account's quota, which is read where it is needed.
            Self::ReservedConcurrency | Self::ProvisionedConcurrency => 1..=100_000,
            Self::Redeployment => 1..=u32::MAX,
        }
    }

    /// Whether it is part of what a version is published with. Concurrency is not: it is set beside all versions, and has no revision.
    #[must_use]
    pub const fn is_published(self) -> bool {
        match self {
            Self::Timeout | Self::Memory | Self::Redeployment => true,
            Self::ReservedConcurrency | Self::ProvisionedConcurrency => false,
        }
    }

    /// Whether a change of it can be put back. The environments that a redeployment has replaced are gone.
    #[must_use]
    pub const fn is_revertible(self) -> bool {
        match self {
            Self::Timeout | Self::Memory | Self::ReservedConcurrency | Self::ProvisionedConcurrency => true,
            Self::Redeployment => false,
        }
    }

    /// The property of the CDK's `lambda.Function` that sets it for good.
    #[must_use]
    pub fn cdk_line(self, value: Option<u32>) -> String {
        match (self, value) {
            (Self::Timeout, Some(seconds)) => format!("timeout: cdk.Duration.seconds({seconds})"),
            (Self::Memory, Some(megabytes)) => format!("memorySize: {megabytes}"),
            (Self::ReservedConcurrency, Some(runs)) => format!("reservedConcurrentExecutions: {runs}"),
            (Self::ProvisionedConcurrency, Some(environments)) => {
                format!("provisionedConcurrentExecutions: {environments}")
            }
            (_, None) | (Self::Redeployment, _) => String::new(),
        }
    }

    /// The value that an image or a lease has of it; `None`: it is not set.
    #[must_use]
    pub fn value_in(self, image: &Value) -> Option<u32> {
        image[self.field()].as_u64().and_then(|value| u32::try_from(value).ok())
    }

    /// A lease's image.
    #[must_use]
    pub fn image(self, value: Option<u32>) -> Value {
        json!({ self.field(): value })
    }
}
