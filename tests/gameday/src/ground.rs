//! What a game day is played on: PostgreSQL, the AWS endpoint, and the product as the CDK deploys it beside an application.

use std::time::Instant;

use harness::{AlarmHop, Aws, Cdk, Database, Postgres, functions};

use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::world::{HANGING, World};

/// The product's own deadlines, fifteen minutes, five and one, and the ages of sessions, five minutes, two and fifteen, in minutes of
/// [`crate::world::MINUTE`].
const SETTINGS: [(&str, &str); 7] = [
    ("processDeadlineSeconds", "60"),
    ("startDeadlineSeconds", "20"),
    ("settleSeconds", "4"),
    ("databaseApplicationNames", HANGING),
    ("idleInTransactionSeconds", "20"),
    ("blockingSeconds", "8"),
    ("longQuerySeconds", "60"),
];

/// Where nothing is deployed yet.
pub struct Ground {
    pub began: Instant,
    postgres: Postgres,
    pub database: Database,
    pub aws: Aws,
}

impl Ground {
    /// Starts PostgreSQL and the endpoint.
    pub async fn start() -> Outcome<Self> {
        let began = Instant::now();
        let (postgres, aws) = tokio::try_join!(Postgres::start(), Aws::start())?;
        let ground = Self { began, database: postgres.database("gameday").await?, postgres, aws };
        ground.done("PostgreSQL and the AWS endpoint run");
        Ok(ground)
    }

    /// Tells what is done.
    pub fn done(&self, what: &str) {
        tell(self.began, what);
    }

    /// Deploys the product with these settings beside its own, while `patient` is being deployed.
    pub async fn deploy<A>(
        self,
        mode: Mode,
        settings: &[(&str, &str)],
        patient: impl AsyncFnOnce(&Self) -> Outcome<A>,
    ) -> Outcome<World<A>> {
        functions::stage(&functions::folder(), &functions::names()?).await?;
        self.done("the functions are built");
        let cdk = Cdk::new(&self.aws.endpoint()).await?;
        let (url, endpoint) = (self.database.url(), self.aws.endpoint());
        let of_the_ground =
            [("databaseUrl", url.as_str()), ("endpointUrl", &endpoint), ("remediationMode", mode.as_str())];
        let settings = [settings, &of_the_ground, &SETTINGS].concat();
        let product = async {
            let (assembly, ()) = tokio::try_join!(cdk.synth(&settings), cdk.bootstrap())?;
            self.done("the CDK app is made, the account bootstrapped");
            let outputs = cdk.deploy_assembly("Remediation", &assembly).await?;
            self.done("the product is deployed, its schema made");
            Outcome::Ok((assembly, outputs))
        };
        let ((assembly, outputs), patient) = tokio::try_join!(product, patient(&self))?;
        let dead_letters = outputs.get("DeadLetterQueueUrl").cloned().unwrap_or_default();
        let Self { postgres, database, aws, .. } = self;
        let hop = AlarmHop::new(&aws);
        Ok(World { postgres, database, aws, patient, hop, mode, assembly, dead_letters, cdk })
    }
}

/// Tells what is done, and how long after the beginning.
pub fn tell(began: Instant, what: &str) {
    println!("{:7.1} s  {what}", began.elapsed().as_secs_f64());
}
