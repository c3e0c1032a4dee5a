//! Lambda: <https://docs.aws.amazon.com/lambda/latest/api/>

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::state::State;
use super::{Answered, Fault};
use crate::times::iso;

/// What the account may run at once.
const ACCOUNT_LIMIT: u64 = 1000;
/// What must stay unreserved of it.
const UNRESERVED: u64 = 100;
/// What UpdateFunctionConfiguration takes over as it is asked.
const UPDATED: [&str; 10] = [
    "Timeout",
    "MemorySize",
    "Description",
    "Handler",
    "Role",
    "Runtime",
    "Environment",
    "LoggingConfig",
    "TracingConfig",
    "EphemeralStorage",
];

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    latest: Map<String, Value>,
    versions: BTreeMap<u64, Map<String, Value>>,
    aliases: BTreeMap<String, Map<String, Value>>,
    reserved: Option<u64>,
    /// By alias or version.
    provisioned: BTreeMap<String, u64>,
}

impl Function {
    /// Active, 512 MB, 300 s, no alias, nothing reserved.
    pub fn new(name: &str) -> Self {
        let latest = json!({
            "FunctionName": name,
            "FunctionArn": format!("arn:aws:lambda:ap-northeast-1:123456789012:function:{name}"),
            "Runtime": "nodejs22.x",
            "Role": format!("arn:aws:iam::123456789012:role/{name}"),
            "Handler": "index.handler",
            "CodeSize": 1_048_576,
            "Description": "",
            "Timeout": 300,
            "MemorySize": 512,
            "LastModified": iso(Utc::now()),
            "CodeSha256": "RKpuNqVgc0cVLVNZRJ2BVrkzGqNiHhmvcxKqE0JBpzg=",
            "Version": "$LATEST",
            "TracingConfig": { "Mode": "PassThrough" },
            "RevisionId": Uuid::new_v4(),
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "EphemeralStorage": { "Size": 512 },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}") },
        });
        Self {
            latest: fields(&latest),
            versions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            reserved: None,
            provisioned: BTreeMap::new(),
        }
    }

    /// The configurations of all versions.
    pub fn configurations(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        std::iter::once(&mut self.latest).chain(self.versions.values_mut())
    }

    fn change(&mut self, settings: impl IntoIterator<Item = (String, Value)>) {
        self.latest.extend(settings);
        self.latest.insert("RevisionId".to_owned(), json!(Uuid::new_v4()));
        self.latest.insert("LastModified".to_owned(), iso(Utc::now()).into());
    }

    /// The configuration of `$LATEST`, of a version, or of what an alias points to.
    fn configuration(&self, qualifier: Option<&str>) -> Option<&Map<String, Value>> {
        let Some(qualifier) = qualifier.filter(|qualifier| *qualifier != "$LATEST") else { return Some(&self.latest) };
        let version = match self.aliases.get(qualifier) {
            Some(alias) => alias["FunctionVersion"].as_str()?,
            None => qualifier,
        };
        if version == "$LATEST" { Some(&self.latest) } else { self.versions.get(&version.parse().ok()?) }
    }

    fn alias(&mut self, asked: &Value) {
        let (name, arn) = (asked["Name"].as_str().unwrap_or_default(), self.latest["FunctionArn"].as_str());
        let alias = self.aliases.entry(name.to_owned()).or_default();
        alias.insert("AliasArn".to_owned(), format!("{}:{name}", arn.unwrap_or_default()).into());
        for field in ["Name", "FunctionVersion", "Description", "RoutingConfig"] {
            if let Some(value) = asked.get(field) {
                alias.insert(field.to_owned(), value.clone());
            }
        }
        alias.insert("RevisionId".to_owned(), json!(Uuid::new_v4()));
    }

    fn publish(&mut self, asked: &Value) -> Answered {
        guard(&self.latest, asked)?;
        let number = self.versions.keys().last().map_or(1, |last| last + 1);
        let mut version = self.latest.clone();
        version.insert("Version".to_owned(), number.to_string().into());
        version.insert("RevisionId".to_owned(), json!(Uuid::new_v4()));
        self.versions.insert(number, version.clone());
        Ok(version.into())
    }

    fn provision(&self, qualifier: &str) -> Answered {
        let Some(count) = self.provisioned.get(qualifier) else {
            let message = "No Provisioned Concurrency Config found for this function";
            return Err(Fault::new(404, "ProvisionedConcurrencyConfigNotFoundException", message));
        };
        Ok(json!({
            "RequestedProvisionedConcurrentExecutions": count, "AvailableProvisionedConcurrentExecutions": count,
            "AllocatedProvisionedConcurrentExecutions": count, "Status": "READY", "LastModified": iso(Utc::now()),
        }))
    }
}

/// What is written must still be what was read.
fn guard(told: &Map<String, Value>, asked: &Value) -> Result<(), Fault> {
    let is_stale = asked["RevisionId"].as_str().is_some_and(|revision| told["RevisionId"] != revision);
    let message = "The Revision Id provided does not match the latest Revision Id. \
                   Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
    if is_stale { Err(Fault::new(412, "PreconditionFailedException", message)) } else { Ok(()) }
}

impl State {
    /// A deployment by a person: a function's settings are others. `null`: it is gone.
    pub(super) fn deploy(&mut self, name: &str, settings: &Value) {
        if settings.is_null() {
            self.functions.remove(name);
            return;
        }
        let function = self.functions.entry(name.to_owned()).or_insert_with(|| Function::new(name));
        let mut settings = fields(settings);
        if let Some(reserved) = settings.remove("ReservedConcurrentExecutions") {
            function.reserved = reserved.as_u64();
        }
        function.change(settings);
    }

    /// A setting of a function, as Lambda tells it.
    pub fn function_field(&self, name: &str, field: &str) -> Option<Value> {
        let function = self.functions.get(name)?;
        if field == "ReservedConcurrentExecutions" {
            return function.reserved.map(Value::from);
        }
        field.split('.').try_fold(&Value::Object(function.latest.clone()), |value, key| value.get(key)).cloned()
    }

    fn unreserved(&self) -> u64 {
        ACCOUNT_LIMIT - self.functions.values().filter_map(|function| function.reserved).sum::<u64>()
    }

    /// The calls that are known.
    pub(super) fn lambda(&mut self, call: &str, asked: &Value) -> Option<Answered> {
        Some(match call {
            // The step's own functions are not among the application's; an event that Lambda queues is accepted.
            "Invoke" => Ok(Value::Null),
            "ListFunctions" => {
                let all: Vec<_> = self.functions.values().map(|function| function.latest.clone()).collect();
                Ok(json!({ "Functions": all }))
            }
            "GetAccountSettings" => Ok(json!({
                "AccountLimit": {
                    "TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800,
                    "ConcurrentExecutions": ACCOUNT_LIMIT, "UnreservedConcurrentExecutions": self.unreserved(),
                },
                "AccountUsage": { "TotalCodeSize": 5_242_880, "FunctionCount": self.functions.len() },
            })),
            "PutFunctionConcurrency" => self.put_concurrency(asked),
            _ => return self.of_a_function(call, asked),
        })
    }

    fn put_concurrency(&mut self, asked: &Value) -> Answered {
        let before = self.function(asked)?.reserved.unwrap_or(0);
        let wanted = asked["ReservedConcurrentExecutions"].as_u64().unwrap_or(0);
        if self.unreserved() + before < wanted + UNRESERVED {
            let message = format!(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
                 below its minimum value of [{UNRESERVED}]."
            );
            return Err(Fault::new(400, "InvalidParameterValueException", message));
        }
        self.function(asked)?.reserved = Some(wanted);
        Ok(json!({ "ReservedConcurrentExecutions": wanted }))
    }

    fn function(&mut self, asked: &Value) -> Result<&mut Function, Fault> {
        let name = asked["FunctionName"].as_str().unwrap_or_default();
        let missing = || not_found(&format!("arn:aws:lambda:ap-northeast-1:123456789012:function:{name}"));
        self.functions.get_mut(name).ok_or_else(missing)
    }

    fn of_a_function(&mut self, call: &str, asked: &Value) -> Option<Answered> {
        const KNOWN: [&str; 14] = [
            "GetFunction",
            "GetFunctionConfiguration",
            "UpdateFunctionConfiguration",
            "GetFunctionConcurrency",
            "DeleteFunctionConcurrency",
            "GetProvisionedConcurrencyConfig",
            "PutProvisionedConcurrencyConfig",
            "DeleteProvisionedConcurrencyConfig",
            "ListVersionsByFunction",
            "PublishVersion",
            "ListAliases",
            "CreateAlias",
            "GetAlias",
            "UpdateAlias",
        ];
        if !KNOWN.contains(&call) {
            return None;
        }
        let function = match self.function(asked) {
            Ok(function) => function,
            Err(missing) => return Some(Err(missing)),
        };
        let qualifier = asked["Qualifier"].as_str();
        let name = asked["Name"].as_str().unwrap_or_default();
        let told = function.configuration(qualifier).cloned().ok_or_else(|| not_found(qualifier.unwrap_or_default()));
        Some(match call {
            "GetFunctionConfiguration" => told.map(Value::from),
            "GetFunction" => told.map(|told| {
                json!({ "Configuration": told, "Code": { "RepositoryType": "S3" }, "Concurrency": concurrency(function) })
            }),
            "UpdateFunctionConfiguration" => guard(&function.latest, asked).map(|()| {
                let asked = UPDATED.into_iter().filter_map(|field| Some((field.to_owned(), asked.get(field)?.clone())));
                function.change(asked);
                function.latest.clone().into()
            }),
            "GetFunctionConcurrency" => Ok(concurrency(function)),
            "DeleteFunctionConcurrency" => {
                function.reserved = None;
                Ok(Value::Null)
            }
            "GetProvisionedConcurrencyConfig" => function.provision(qualifier.unwrap_or_default()),
            "PutProvisionedConcurrencyConfig" => {
                let count = asked["ProvisionedConcurrentExecutions"].as_u64().unwrap_or(0);
                function.provisioned.insert(qualifier.unwrap_or_default().to_owned(), count);
                function.provision(qualifier.unwrap_or_default())
            }
            "DeleteProvisionedConcurrencyConfig" => {
                function.provisioned.remove(qualifier.unwrap_or_default());
                Ok(Value::Null)
            }
            "ListVersionsByFunction" => {
                let all: Vec<_> = function.configurations().map(|told| told.clone()).collect();
                Ok(json!({ "Versions": all }))
            }
            "PublishVersion" => function.publish(asked),
            "ListAliases" => Ok(json!({ "Aliases": function.aliases.values().collect::<Vec<_>>() })),
            "CreateAlias" => {
                function.alias(asked);
                Ok(json!(function.aliases.get(name)))
            }
            _ => {
                let Some(alias) = function.aliases.get(name) else { return Some(Err(not_found(name))) };
                match call {
                    "UpdateAlias" => guard(alias, asked).map(|()| {
                        function.alias(asked);
                        json!(function.aliases.get(name))
                    }),
                    _ => Ok(json!(alias)),
                }
            }
        })
    }
}

fn concurrency(function: &Function) -> Value {
    function.reserved.map_or_else(|| json!({}), |reserved| json!({ "ReservedConcurrentExecutions": reserved }))
}

fn not_found(what: &str) -> Fault {
    Fault::new(404, "ResourceNotFoundException", format!("Function not found: {what}"))
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
