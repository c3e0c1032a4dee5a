//! Both Lambda functions of the patient in one program; `PATIENT_FUNCTION` says which this one is.

use lambda_runtime::{LambdaEvent, run, service_fn};
use patient::worker::{Task, Worker};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let worker = &Worker::from_environment()?;
    match std::env::var("PATIENT_FUNCTION")?.as_str() {
        "generate" => {
            run(service_fn(|event: LambdaEvent<Task>| async move { worker.generate(&event.payload).await })).await
        }
        "update-status" => {
            run(service_fn(|event: LambdaEvent<Task>| async move { worker.update_status(&event.payload).await })).await
        }
        other => Err(format!("PATIENT_FUNCTION `{other}` must be generate or update-status").into()),
    }
}
