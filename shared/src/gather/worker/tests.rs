use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::operation::get_function_configuration::builders::GetFunctionConfigurationOutputBuilder;
use aws_sdk_lambda::types::{
    EnvironmentError, EnvironmentResponse, EphemeralStorage, LastUpdateStatus, Layer, Runtime, SnapStartApplyOn,
    SnapStartOptimizationStatus, SnapStartResponse, State, VpcConfigResponse,
};

use super::*;

fn told() -> GetFunctionConfigurationOutputBuilder {
    GetFunctionConfigurationOutput::builder()
        .version("$LATEST")
        .timeout(300)
        .memory_size(1024)
        .revision_id("a")
        .code_sha256("code")
        .handler("bootstrap")
        .state(State::Active)
        .last_update_status(LastUpdateStatus::Successful)
        .environment(EnvironmentResponse::builder().variables("A", "1").variables("SECRET", "sesame").build())
}

fn seen(
    setting: Setting,
    latest: GetFunctionConfigurationOutputBuilder,
    published: GetFunctionConfigurationOutputBuilder,
) -> Seen {
    let published = Configuration::of(&published.build());
    let alias = Alias { name: "live".into(), revision_id: Some("b".into()), is_weighted: false, published };
    let mut seen = Seen { setting, latest: Configuration::of(&latest.build()), alias: Some(alias), value: None };
    seen.value = seen.called().value(setting);
    seen
}

#[test]
fn what_publishing_would_release_is_named_and_the_setting_itself_is_not() {
    let variables = |value: &str| EnvironmentResponse::builder().variables("SECRET", value).variables("A", "1").build();
    let network = VpcConfigResponse::builder().subnet_ids("subnet-1").vpc_id("vpc-1").build();
    // (what `$LATEST` has, what would be released with a change of the timeout)
    let cases: Vec<(GetFunctionConfigurationOutputBuilder, &[&str])> = vec![
        (told(), &[]),
        // The same in another order; an empty list is none.
        (told().environment(variables("sesame")).set_layers(Some(vec![])), &[]),
        (told().vpc_config(VpcConfigResponse::builder().set_subnet_ids(Some(vec![])).build()), &[]),
        // Of every version its own.
        (
            told()
                .version("9")
                .function_arn("arn:x:9")
                .revision_id("z")
                .description("release 9")
                .last_modified("today"),
            &[],
        ),
        (told().timeout(600), &[]),
        (told().memory_size(2048), &["memorySize"]),
        (told().code_sha256("other"), &["code"]),
        (told().environment(variables("mellon")), &["environment"]),
        (told().set_environment(None), &["environment"]),
        (told().handler("other"), &["handler"]),
        (told().role("arn:aws:iam::1:role/other"), &["role"]),
        (told().runtime(Runtime::Nodejs22x), &["runtime"]),
        (told().layers(Layer::builder().arn("arn:layer:1").build()), &["layers"]),
        (told().vpc_config(network), &["vpcConfig"]),
        (told().kms_key_arn("arn:key"), &["kmsKeyArn"]),
        (told().ephemeral_storage(EphemeralStorage::builder().size(1024).build().unwrap()), &["ephemeralStorage"]),
    ];
    for (at, (latest, parts)) in cases.into_iter().enumerate() {
        assert_eq!(seen(Setting::Timeout, latest, told()).unreleased(), parts, "case {at}");
    }
    assert_eq!(seen(Setting::Memory, told().timeout(600).memory_size(2048), told()).unreleased(), ["timeout"]);
    let mut without = seen(Setting::Timeout, told().code_sha256("other"), told());
    without.alias = None;
    assert!(without.unreleased().is_empty(), "without an alias `$LATEST` is what runs");
}

#[test]
fn a_snapshot_that_is_ready_is_no_difference_and_one_that_is_asked_for_is() {
    let snap = |on: SnapStartApplyOn, status: SnapStartOptimizationStatus| {
        SnapStartResponse::builder().apply_on(on).optimization_status(status).build()
    };
    let published = || told().snap_start(snap(SnapStartApplyOn::PublishedVersions, SnapStartOptimizationStatus::On));
    let latest = told().snap_start(snap(SnapStartApplyOn::PublishedVersions, SnapStartOptimizationStatus::Off));
    assert!(seen(Setting::Timeout, latest, published()).unreleased().is_empty());
    assert_eq!(seen(Setting::Timeout, told(), published()).unreleased(), ["snapStart"]);
}

#[test]
fn an_environment_that_cannot_be_read_is_never_the_same() {
    let sealed = || {
        let error = EnvironmentError::builder().error_code("AccessDeniedException").build();
        told().environment(EnvironmentResponse::builder().error(error).build())
    };
    assert_eq!(seen(Setting::Timeout, sealed(), sealed()).unreleased(), ["environment (which cannot be read)"]);
}

#[test]
fn no_value_of_the_environment_is_ever_shown() {
    let seen = seen(Setting::Timeout, told(), told());
    let shown = format!("{seen:?} {:#?} {}", seen.latest, seen.image());
    assert!(!shown.contains("sesame") && shown.contains("environment"), "{shown}");
}

#[test]
fn what_is_under_way_or_has_failed_is_told_in_lambdas_own_words() {
    let pending = || told().state(State::Pending);
    let in_progress = || told().last_update_status(LastUpdateStatus::InProgress);
    for (latest, published, under_way) in [
        (told(), told(), None),
        (pending(), told(), Some("$LATEST: State=Pending, LastUpdateStatus=Successful")),
        (in_progress(), told(), Some("$LATEST: State=Active, LastUpdateStatus=InProgress")),
        (told(), pending().version("7"), Some("7: State=Pending, LastUpdateStatus=Successful")),
    ] {
        let seen = seen(Setting::Timeout, latest, published);
        assert_eq!(seen.under_way().as_deref(), under_way);
    }
    let mut canary = seen(Setting::Timeout, told(), told());
    canary.alias.as_mut().unwrap().is_weighted = true;
    assert_eq!(canary.under_way().as_deref(), Some("live: RoutingConfig"));

    let failed = told().last_update_status(LastUpdateStatus::Failed).last_update_status_reason("no key").build();
    assert_eq!(Configuration::of(&failed).failure().as_deref(), Some("LastUpdateStatus=Failed: no key"));
    let failed = told().state(State::Failed).build();
    assert_eq!(Configuration::of(&failed).failure().as_deref(), Some("State=Failed"));
    assert_eq!(Configuration::of(&told().build()).failure(), None);
}

#[test]
fn a_write_rests_on_revisions_code_and_value() {
    let before = seen(Setting::Timeout, told(), told());
    assert!(before.is_still(&before));
    for moved in [
        seen(Setting::Timeout, told().revision_id("z"), told()),
        seen(Setting::Timeout, told().code_sha256("z"), told()),
        seen(Setting::Timeout, told(), told().timeout(301)),
        seen(Setting::Timeout, told(), told().version("8")),
    ] {
        assert!(!moved.is_still(&before), "{moved:?}");
    }
}
