//! The calls that stop and start an execution; what there is, [`StepFunctions`] reads.

use chrono::{DateTime, Utc};

use crate::domain::ExecutionArn;
use crate::gather::error::Error;
use crate::gather::step_functions::{StepFunctions, time};

impl StepFunctions {
    /// StopExecution. The execution may still be running when this returns.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn stop(&self, arn: &ExecutionArn, error: &str, cause: &str) -> Result<(), Error> {
        self.stop.wait().await;
        self.client
            .stop_execution()
            .execution_arn(arn.as_str())
            .error(error)
            .cause(cause)
            .send()
            .await
            .map(drop)
            .map_err(Error::aws("StopExecution"))
    }

    /// StartExecution; when the execution began. The name is what makes it happen once: as long as the execution runs, the
    /// same name and input are answered with that execution.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn start(&self, execution: &ExecutionArn, input: &str) -> Result<DateTime<Utc>, Error> {
        self.start.wait().await;
        let answer = self
            .client
            .start_execution()
            .state_machine_arn(execution.state_machine_arn())
            .name(execution.name())
            .input(input)
            .send()
            .await
            .map_err(Error::aws("StartExecution"))?;
        Ok(time(answer.start_date()).unwrap_or_else(Utc::now))
    }
}
