//! Another version of the same process.

use crate::request::happened::Migrated;
use crate::request::migration::{CircuitMoved, TaskMoved, renamed};
use crate::request::state::{Request, Stage, TaskStatus};

/// The clocks there are were made under the version followed until now; those that the event changes say otherwise.
pub(super) fn made_under(request: &mut Request) {
    for clock in &mut request.clocks {
        clock.made_under.get_or_insert_with(|| request.definition.clone());
    }
}

pub(super) fn migrated(request: &mut Request, event: &Migrated) {
    made_under(request);
    request.definition = event.definition.clone();
    let form = std::mem::take(&mut request.form);
    request.form =
        form.into_iter().map(|(field, value)| (renamed(&event.fields, &field).to_owned(), value)).collect();
    tasks(request, &event.tasks);
    let cycle = request.cycle;
    for clock in request.clocks.iter_mut().filter(|clock| clock.cycle == cycle) {
        clock.commitment = renamed(&event.commitments, &clock.commitment).to_owned();
    }
    if let Some(circuit) = &event.circuit {
        approval(request, circuit);
    }
}

fn tasks(request: &mut Request, moved: &[TaskMoved]) {
    let taken: Vec<_> =
        moved.iter().filter_map(|moved| Some((moved, request.tasks.remove(&moved.from)?))).collect();
    for (moved, mut task) in taken {
        if task.status == TaskStatus::Open {
            task.late = task.late && task.due == moved.due;
            task.due = moved.due;
            if moved.by.is_some() {
                task.by.clone_from(&moved.by);
            }
        }
        request.tasks.insert(moved.to.clone(), task);
    }
}

fn approval(request: &mut Request, moved: &CircuitMoved) {
    let Stage::InValidation(approval) = &mut request.stage else { return };
    approval.circuit.clone_from(&moved.circuit);
    approval.steps.clone_from(&moved.steps);
    for (step, _) in &mut approval.passed {
        *step = renamed(&moved.renamed, step).to_owned();
    }
    approval.passed.retain(|(step, _)| moved.steps.contains(step));
    if let Some(open) = &mut approval.open {
        open.step = renamed(&moved.renamed, &open.step).to_owned();
    }
}
