use chrono::Utc;
use patient::goals::Goal;
use patient::table::Row;
use patient::{Behaviour, Patient};

use crate::beside::{Also, Question};
use crate::expected::{Expected, failed};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// A retry fails for ever because the data contradict each other (guide, 4): the user reached the goal, and then took up one of its
/// sub-goals again, which nobody told the goal.
pub struct GoalInconsistent;

impl Fault for GoalInconsistent {
    fn name(&self) -> &'static str {
        "goal-inconsistent"
    }

    fn story(&self) -> &'static str {
        "a process for a sub-goal fails permanently: its goal is COMPLETED but still has open work"
    }

    fn expected(&self, _: &Patient) -> Expected {
        // The application itself has closed the row, and nobody else touches that.
        let actions = &["set-goal-status"];
        Expected { actions, steps: &["repair-goal-status"], ..failed("VALIDATION_ERROR") }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let goal = Goal::new("COMPLETED", &[100, 40]);
            goal.insert(world.patient.pool(), world.patient.variant()).await?;
            let target_id = Some(goal.sub_goals[1].id);
            let row = Row { kind: "ACTION_GENERATION".into(), target_id, ..Row::pending(Utc::now()) };
            world.patient.accept(&row).await?;
            let behaviour = Behaviour::Fail { code: "VALIDATION_ERROR".into(), recorded: true };
            let process = world.patient.execute(&row, &behaviour).await?;
            let ended = world.ended(&process).await?;
            let what = format!("execution {}, its goal COMPLETED with open work", ended.status);
            let broken = Broken::now(world, process.id, what).await?;
            let question = Question::Sql("SELECT status::text FROM public.goals WHERE id = $1::uuid");
            let also = Also { target: goal.id.to_string(), question, broken: "COMPLETED", right: "ACTIVE" };
            Ok(broken.since(ended.at).and(also))
        })
    }
}
