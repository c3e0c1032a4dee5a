//! Starts every part there is and waits to be killed, for the test that nothing remains then. The argument is the specimen function.

use harness::{Aws, Deployment, Error, Function, Postgres, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let specimen = std::env::args().nth(1).ok_or_else(|| Error::Usage("everything <path of the specimen>".into()))?;
    let (postgres, aws) = (Postgres::start().await?, Aws::start().await?);
    let function = Function::at(&specimen).start().await?;
    let deployed = Deployment::at("deployed", &specimen).deploy(&aws).await?;
    aws.lambda().invoke().function_name(deployed).send().await.map_err(Error::aws("invoke it"))?;
    let directory = |pid: u32| std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default().display().to_string();
    let pids = [postgres.process().pid(), aws.process().pid(), function.process_id().unwrap_or_default()];
    let processes = pids.map(|pid| format!("/proc/{pid}"));
    println!("{} {} {}", processes.join(" "), directory(pids[0]), directory(pids[1]));
    std::future::pending().await
}
