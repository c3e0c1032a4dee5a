use std::collections::HashMap;

use aws_sdk_lambda::types::Environment;
use chrono::Utc;
use harness::eventually;
use patient::{Behaviour, Patient};
use uuid::Uuid;

use crate::beside::{Also, Question};
use crate::expected::{COMPLETED, Expected};
use crate::fault::{Breaking, Broken, Fault};
use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::world::{PATIENCE, World};

/// The worker comes close to its timeout (guide, 1): a deployment has cut that to 240 s, and the model answers after 232.
///
/// Nobody has the time to wait for such a run, so its report is written into the worker's log in the form in which Lambda writes it. All
/// else is the real chain: check-health reads the log, the alarm on its metric goes off, and the step changes the function on the
/// endpoint, up to the 300 s that the workflow's task waits and no further.
pub struct WorkerNearTimeout;

const CUT: &str = "240";
/// The timeout of the workflow's own task.
const TASK: &str = "300";

impl Fault for WorkerNearTimeout {
    fn name(&self) -> &'static str {
        "worker-near-timeout"
    }

    fn story(&self) -> &'static str {
        "a run of the worker takes 232 s, and a deployment has cut its timeout from 300 s to 240 s"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected { actions: &["set-worker-timeout"], steps: &["extend-worker-timeout"], ..COMPLETED }
    }

    /// The endpoint ends what runs when a function's configuration changes; AWS lets it come to its end.
    fn alone(&self) -> bool {
        true
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let lambda = world.aws.lambda();
            let cut = lambda.update_function_configuration().function_name(Patient::WORKER);
            cut.timeout(CUT.parse()?).send().await?;
            world.changed(Patient::WORKER).await?;
            deadline_of_every_day(world).await?;
            let process = world.patient.start(&Behaviour::Succeed).await?;
            world.ended(&process).await?;
            // https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
            let report = format!(
                "REPORT RequestId: {}\tDuration: 232000.00 ms\tBilled Duration: 232000 ms\tMemory Size: 4096 MB\tMax Memory Used: 41 MB\t",
                Uuid::new_v4()
            );
            world.log_of_worker(&report).await?;
            let at = Utc::now();
            let target = format!("function {}", Patient::WORKER);
            let also = Also { target, question: Question::WorkerTimeout, broken: CUT, right: TASK };
            let broken = Broken::now(world, process.id, format!("the worker has {CUT} s, a run took 232")).await?;
            if world.mode == Mode::Act {
                // Nothing else may run while the function is changed.
                let changed = eventually(PATIENCE, "the worker's timeout to be changed", || async {
                    (world.answer(&also).await.ok()?.as_deref() != Some(CUT)).then_some(())
                });
                changed.await?;
            }
            Ok(broken.since(at).and(also))
        })
    }
}

/// The game's processes have a minute, within which no worker's timeout would fit: this step goes by the guide's quarter of an hour.
async fn deadline_of_every_day(world: &World) -> Outcome<()> {
    let (lambda, step) = (world.aws.lambda(), world.function("extend-worker-timeout"));
    let told = lambda.get_function_configuration().function_name(&step).send().await?;
    let set = told.environment().and_then(|environment| environment.variables()).cloned().unwrap_or_default();
    let more = HashMap::from([("PROCESS_DEADLINE_SECONDS".to_owned(), "900".to_owned())]);
    let environment = Environment::builder().set_variables(Some(set.into_iter().chain(more).collect())).build();
    lambda.update_function_configuration().function_name(&step).environment(environment).send().await?;
    world.changed(&step).await
}
