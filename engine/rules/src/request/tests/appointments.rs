//! Dates: offered, chosen, announced, reminded of, called off, kept.

use serde_json::json;

use super::*;
use crate::process::*;
use crate::request::*;

const AGENT: &str = "a21";

fn slot(from: &str, until: &str) -> Slot {
    Slot { from: paris(from), until: paris(until) }
}

fn offer(slots: Vec<Slot>) -> Command {
    Command::OfferAppointment { slots, place: "Mairie, guichet 3".into(), what: "Remise du titre".into() }
}

fn two() -> Vec<Slot> {
    vec![slot("2026-05-07T14:00", "2026-05-07T14:30"), slot("2026-05-06T09:00", "2026-05-06T09:30")]
}

fn choose(from: &str) -> Command {
    Command::ChooseAppointment { slot: paris(from) }
}

fn cancel(by: Option<AppointmentParty>) -> Command {
    Command::CancelAppointment { by, reason: "empêchement".into() }
}

fn story() -> Story {
    let mut story = Story::of(vec![pothole()]);
    let who = reachable(Some("camille@exemple.example"), None, None);
    let form = json!({ "place": [48.957, 4.363], "danger": false });
    story.does(&agent("a22"), received_from("voirie/chaussee-abimee", Channel::Phone, form, who));
    let qualify =
        Command::Qualify { process: None, complexity: None, priority: None, form: Default::default() };
    story.does(&agent("a02"), qualify);
    story
}

fn status(story: &Story) -> AppointmentStatus {
    story.request().appointment.as_ref().unwrap().status
}

fn told(story: &Story, news: &str) -> usize {
    story.told().iter().filter(|(_, subject)| *subject == Subject::News(news.into())).count()
}

#[test]
fn a_slot_is_chosen_reminded_of_the_day_before_and_kept() {
    let mut story = story();
    story.does(&agent(AGENT), offer(two()));
    assert_eq!(story.request().appointment.as_ref().unwrap().slots[0].from, paris("2026-05-06T09:00"));
    assert_eq!(story.refuses(&agent(AGENT), offer(two())), "appointment.live");
    assert_eq!(story.refuses(&Actor::Requester, choose("2026-05-06T10:00")), "slot.unknown");
    story.does(&Actor::Requester, choose("2026-05-07T14:00"));
    assert_eq!(story.refuses(&Actor::Requester, choose("2026-05-06T09:00")), "appointment.none");
    let came = Command::RecordAttendance { came: true };
    assert_eq!(story.refuses(&agent(AGENT), came.clone()), "appointment.early");
    story.at("2026-05-06T09:59");
    assert_eq!(told(&story, "appointment_reminded"), 0);
    story.at("2026-05-06T10:00");
    assert_eq!(told(&story, "appointment_reminded"), 1, "at ten on the day before");
    story.at("2026-05-07T15:00");
    story.does(&agent(AGENT), came);
    assert_eq!(status(&story), AppointmentStatus::Kept);
    story.does(&agent(AGENT), offer(vec![slot("2026-05-11T09:00", "2026-05-11T10:00")]));
    assert_eq!(story.request().appointment.as_ref().unwrap().number, 2);
}

#[test]
fn an_offer_that_nobody_takes_lapses_and_the_service_hears_of_it() {
    let mut story = story();
    story.does(&agent(AGENT), offer(two()));
    story.at("2026-05-07T13:59");
    assert_eq!(status(&story), AppointmentStatus::Offered);
    story.at("2026-05-07T14:00");
    assert_eq!((status(&story), told(&story, "appointment_lapsed")), (AppointmentStatus::Lapsed, 1));
    assert_eq!(story.refuses(&Actor::Requester, choose("2026-05-07T14:00")), "appointment.none");
    story.does(&agent(AGENT), offer(vec![slot("2026-05-11T09:00", "2026-05-11T10:00")]));
}

#[test]
fn a_team_announces_its_date_and_another_one() {
    let mut story = story();
    let set = |from: &str, until: &str| Command::SetIntervention { from: paris(from), until: paris(until) };
    story.does(&agent(AGENT), set("2026-05-06T08:00", "2026-05-06T12:00"));
    story.does(&agent(AGENT), set("2026-05-08T08:00", "2026-05-08T12:00"));
    let known = story.request().appointment.clone().unwrap();
    assert_eq!((known.number, known.sequence, known.kind), (1, 1, AppointmentKind::Intervention));
    assert_eq!(story.refuses(&agent(AGENT), offer(two())), "appointment.live");
    assert_eq!(story.refuses(&Actor::Requester, set("2026-05-08T08:00", "2026-05-08T12:00")), "role.needed");
    story.does(&agent(AGENT), Command::Cancel { reason: "sans objet".into() });
    assert_eq!(status(&story), AppointmentStatus::Cancelled, "nobody is expected at a closed request");
}

#[test]
fn either_side_may_call_off_and_both_hear_of_it() {
    let mut story = story();
    assert_eq!(story.refuses(&Actor::Requester, cancel(None)), "appointment.none");
    story.does(&agent(AGENT), offer(two())).does(&Actor::Requester, choose("2026-05-07T14:00"));
    story.does(&Actor::Requester, cancel(Some(AppointmentParty::Service)));
    let by = story.world.cases[story.case].history.iter().find_map(|(event, _)| match &event.what {
        What::AppointmentCancelled(event) => Some(event.by),
        _ => None,
    });
    assert_eq!(by, Some(AppointmentParty::Requester), "nobody speaks for the other side");
    assert_eq!(told(&story, "appointment_cancelled"), 2);
    story.at("2026-05-06T12:00");
    assert_eq!(told(&story, "appointment_reminded"), 0);
}

#[test]
fn slots_lie_ahead_end_after_they_begin_and_differ() {
    let mut story = story();
    let wrong = [
        (Vec::new(), "slot.unfit"),
        (vec![slot("2026-05-04T09:00", "2026-05-04T10:00")], "time.past"),
        (vec![slot("2026-05-06T10:00", "2026-05-06T09:00")], "slot.unfit"),
        (vec![slot("2026-05-06T09:00", "2026-05-06T09:00")], "slot.unfit"),
        (vec![slot("2036-05-06T09:00", "2036-05-06T10:00")], "slot.unfit"),
        (vec![two()[0], two()[0]], "slot.unfit"),
        (vec![slot("2026-05-06T09:00", "2026-05-06T10:00"); 51], "slot.unfit"),
    ];
    for (slots, code) in wrong {
        assert_eq!(story.refuses(&agent(AGENT), offer(slots)), code);
    }
}
