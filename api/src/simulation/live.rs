//! The town on the real engine: what its people do goes through rules, journal, read models and workers, in the order in
//! which the simulation did it.

use std::sync::Arc;

use guichet_engine::rules::process::Plan;
use guichet_engine::{EngineError, ManualClock, Submission};

use super::assumptions::Assumptions;
use super::figures::Figures;
use super::ground::{Ground, Period, instant};
use super::run::{Given, Run, Step};
use super::{Lived, Month, SimulationError};
use crate::Guichet;
use crate::import::Areas;
use crate::workers::{Outbox, Timers};

/// The most rounds of the outbox at one stroke of the clock.
const ROUNDS: usize = 200;

/// Lives a month: everything that happens in it goes through the engine of `guichet`, whose clock is `clock`. `progress` is
/// told how many of how many minutes are over. Beside what was lived come the figures that the simulation has of it,
/// which it made without the engine: by the same rules, in memory.
///
/// # Errors
/// [`SimulationError`]; what was done before stands in the journal.
pub async fn live(
    guichet: &Guichet,
    clock: &ManualClock,
    seed: u64,
    days: &Month,
    areas: &Areas,
    progress: &mut (dyn FnMut(i64, i64) + Send),
) -> Result<(Lived, Figures), SimulationError> {
    let ground = ground(guichet, days, areas)?;
    let mut lived = Lived { until: Some(instant(ground.end)), ..Lived::default() };
    let (figures, steps) = Run::new(&ground, seed, 0.0, true).live(&mut |_| {});
    clock.move_to(instant(ground.begin));
    let (timers, outbox) = (Timers::new(guichet), Outbox::new(guichet).in_order());
    let whole = (ground.end - ground.begin) / 60;
    for step in steps {
        let now = match step {
            Step::Act(given) => {
                clock.move_to(instant(given.now));
                let now = given.now;
                act(guichet, *given, &mut lived).await?;
                now
            }
            Step::Tick(now) => {
                clock.move_to(instant(now));
                let fired = timers.run_once(instant(now)).await?;
                lived.timers += u64::try_from(fired.fired).unwrap_or_default();
                for _ in 0..ROUNDS {
                    if outbox.run_once(instant(now)).await?.claimed == 0 {
                        break;
                    }
                }
                now
            }
        };
        progress((now - ground.begin) / 60, whole);
    }
    progress(whole, whole);
    lived.refused.clone_from(&figures.refused);
    Ok((lived, figures))
}

/// The town that is published, as busy as the month says.
fn ground(guichet: &Guichet, days: &Month, areas: &Areas) -> Result<Ground, SimulationError> {
    let definitions = guichet.engine().definitions();
    let of = |tenant: String| {
        let plans = definitions.all_in_force(&tenant);
        plans.into_iter().map(move |plan| (tenant.clone(), plan))
    };
    let tenants = definitions.tenants();
    let organisation =
        tenants.first().and_then(|tenant| definitions.organisation(tenant)).unwrap_or_default();
    let offered: Vec<(String, Arc<Plan>)> = tenants.into_iter().flat_map(of).collect();
    let mut assumed = Assumptions { warm_up_days: 0, ..Assumptions::default() }.busy(days.permille);
    // The people of a town that is published are those who are published.
    assumed.staff.scale = Some(Assumptions::once());
    let period = Period { from: days.from, until: days.until };
    Ground::new(offered, &organisation, areas.clone(), assumed, period)
}

/// Gives the engine a command that the simulation has carried out already: by the same rules, it takes it too.
async fn act(guichet: &Guichet, given: Given, lived: &mut Lived) -> Result<(), SimulationError> {
    let (name, opens) = (given.command.name(), given.request.is_none());
    let tenant = given.tenant.to_string();
    let submission = Submission {
        tenant: tenant.clone(),
        request: given.request,
        command: given.command,
        actor: given.actor,
        command_id: given.command_id,
        occurred_at: Some(given.occurred_at),
        expected: None,
    };
    let receipt = match guichet.submit(submission).await {
        Ok(receipt) => receipt,
        Err(EngineError::Rejected(rejection)) => {
            let code = rejection.code;
            return Err(SimulationError::Differs(format!("{name}: {code}")));
        }
        Err(error) => return Err(error.into()),
    };
    lived.commands += 1;
    if opens {
        lived.requests += 1;
        lived.processes.insert(receipt.state.process.clone());
        lived.received.push((tenant, receipt.request));
    }
    Ok(())
}
