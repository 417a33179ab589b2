//! The simulation as a designer meets it, and against what is known of queues.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use guichet::engine::rules::language::{Catalogue, SourceFile};
use guichet::engine::rules::process::Plan;
use guichet::import::Areas;
use guichet::simulation::{Assumptions, Figures, Ground, Period, Summary, Wait, runs, simulate};

use crate::support::run;

const CATALOGUE: &str = "catalogue: file
name: { fr: File, en: Queue }
languages: [fr, en]
calendar: calendars/toujours
tenants: [ { tenant: ville, name: { fr: Ville, en: Town }, contact: { address: a, phone: '03 53 01 51 00', email: a@ville.example } } ]
themes: [ { theme: aide, title: { fr: Aide, en: Help } } ]
channels: [email]
costs: { counter: 12.00 EUR, online: 3.00 EUR, letter_out: 2.70 EUR }
acknowledgement: messages/mot
";
const CALENDAR: &str = "calendar: toujours
zone: Europe/Paris
holidays: none
hours: { mon: ['00:00-24:00'], tue: ['00:00-24:00'], wed: ['00:00-24:00'], thu: ['00:00-24:00'], fri: ['00:00-24:00'], sat: ['00:00-24:00'], sun: ['00:00-24:00'] }
";
const MESSAGE: &str = "message: mot
subject: { fr: 'Demande {code}', en: 'Request {code}' }
body: { fr: 'Votre demande {code} est reçue.', en: 'We have your request {code}.' }
";
const PROCESS: &str = "process: aide/question
title: { fr: Question, en: Question }
kind: question
open_to: [citizen]
qualification: automatic
assignment: [ { to: service:reponses } ]
delivery: { by: [email], message: messages/mot }
commitments:
  answer: { from: received, until: delivered, within: 2 hours }
law: { silence: none }
privacy: { basis: public_task, personal: [contact], retain: 1 year after closed, then: delete }
";

/// A town of one question, one service and so many people who are always there.
fn queue(people: usize, assumed: &str, days: (&str, &str)) -> Ground {
    let people: String = (0..people)
        .map(|n| format!("  - {{ person: p{n}, name: P, tenant: ville, services: [reponses], email: p{n}@ville.example }}\n"))
        .collect();
    let organisation = format!(
        "roles: []\nservices:\n  - {{ service: reponses, tenant: ville, title: {{ fr: R, en: R }}, email: r@ville.example, head: p0 }}\npeople:\n{people}"
    );
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let loaded = Catalogue::load(vec![
        file("catalogue.yaml", CATALOGUE),
        file("organisation.yaml", &organisation),
        file("calendars/toujours.yaml", CALENDAR),
        file("messages/mot.yaml", MESSAGE),
        file("aide/question.yaml", PROCESS),
    ]);
    let catalogue = loaded.catalogue.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let plan = Arc::new(Plan::compile(Arc::new(catalogue.definitions[0].clone())).unwrap());
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let period = Period { from: day(days.0), until: day(days.1) };
    let assumed = Assumptions::read(assumed).unwrap();
    Ground::new(vec![("ville".into(), plan)], &catalogue.organisation, Areas::default(), assumed, period)
        .unwrap()
}

/// Nothing out of the ordinary: Poisson arrivals, exponential service, nobody ever away.
fn plain(requests: u32) -> String {
    let flat = |count: usize| vec!["1"; count].join(", ");
    let (months, week, hours) = (flat(12), flat(7), flat(24));
    format!(
        "requests_a_year: {requests}
rounds_a_year: 0
warm_up_days: 10
arrivals: {{ months: [{months}], online_week: [{week}], online_hours: [{hours}] }}
kinds: {{ question: 1, report: 0, application: 0, complaint: 0, idea: 0, internal: 0 }}
work:
  answer_ready: {{ mean: 0, form: fixed }}
  put_aside: 0
  answer: {{ question: &t {{ mean: 15, form: exponential }}, report: *t, application: *t, complaint: *t, idea: *t, internal: *t }}
happenings: {{ refused: 0, forwarded: 0, reassigned: 0, suspended: 0, extended: 0, cancelled: 0, withdrawn: 0, rated: 0, reopened: 0, claimed: 0, noted: 0,
  asked: {{ question: 0, report: 0, application: 0, complaint: 0, idea: 0, internal: 0 }} }}
staff: {{ scale: 1, time_for_requests: 1, time_by_role: {{}}, on_call: [], summer_weeks: 0, other_weeks: 0, sick_days: 0 }}
deliveries: {{ bounced: 0 }}
"
    )
}

/// The mean wait in an M/M/c queue (Erlang 1917), in units of the mean service time.
fn erlang(people: u32, load: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 0.0;
    for n in 0..people {
        sum += term;
        term *= load / f64::from(n + 1);
    }
    let waiting = term / (1.0 - load / f64::from(people));
    waiting / (sum + waiting) / (f64::from(people) - load)
}

fn mean(run: &Figures, wait: Wait) -> f64 {
    let all = run.waits.iter().filter(|((kind, _), _)| *kind == wait);
    let (sum, number) = all.fold((0, 0), |(sum, number), (_, one)| (sum + one.sum(), number + one.number()));
    sum as f64 / number as f64
}

#[test]
fn a_queue_waits_as_erlang_says() {
    // A quarter of a year with 7.2 requests an hour, each of a quarter of an hour, for three people: a load of 1.8.
    let ground = queue(3, &plain(63_072), ("2026-01-01", "2026-04-15"));
    let lived = runs(&ground, &[1, 2], 0.0, 2, &|| {});
    let waited = lived.iter().map(|run| mean(run, Wait::Answer)).sum::<f64>() / 2.0;
    let theory = erlang(3, 1.8) * 900.0;
    assert!((theory - 266.1).abs() < 1.0, "C(3, 1.8) = 0.3547: {theory}");
    assert!((waited / theory - 1.0).abs() < 0.12, "{waited} s beside {theory} s");
    // Little 1961: what waits is what comes in times how long it waits.
    let summary = Summary::of(&ground, &lived);
    let waiting = summary.heat.iter().sum::<f64>() / 168.0;
    let little = 7.2 * waited / 3_600.0;
    assert!((waiting / little - 1.0).abs() < 0.12, "{waiting} beside {little}");
    let busy = summary.posts.iter().find(|post| post.post == "service:reponses").unwrap().busy.mean;
    assert!((busy - 0.6).abs() < 0.03, "{busy}");
}

#[test]
fn everybody_is_somewhere_and_nobody_helps_where_nobody_is() {
    let days = ("2026-01-01", "2026-01-21");
    // For one person alone that is a load of 0.94.
    let assumed = plain(33_000);
    let kept: Vec<f64> = (1..=4)
        .map(|people| {
            let run = simulate(&queue(people, &assumed, days), 9, 0.0);
            assert_eq!(run.received, run.stages.values().sum::<u64>());
            assert_eq!(run.lived, run.over + run.open);
            run.kept().share().unwrap()
        })
        .collect();
    assert!(kept.windows(2).all(|two| two[1] >= two[0] - 0.001), "{kept:?}");
    assert!(kept[0] + 0.2 < kept[3], "{kept:?}");
    // The same requests come, whoever is there.
    let nobody = assumed.replace("scale: 1,", "scale: 1, people: { 'service:reponses': 0 },");
    let (alone, four) =
        (simulate(&queue(4, &nobody, days), 9, 0.0), simulate(&queue(4, &assumed, days), 9, 0.0));
    assert_eq!(alone.received, four.received);
    assert_eq!((alone.kept().kept, alone.stages.get("delivered")), (0, None));
    assert!(alone.kept().overdue > 900, "{:?}", alone.kept());
}

#[test]
fn more_seeds_know_more() {
    let ground = queue(2, &plain(20_000), ("2026-01-01", "2026-01-14"));
    let seeds: Vec<u64> = (0..16).collect();
    let lived = runs(&ground, &seeds, 0.0, 2, &|| {});
    let width = |count: usize| {
        let kept = Summary::of(&ground, &lived[..count]).promises.kept.unwrap();
        kept.high.unwrap() - kept.low.unwrap()
    };
    assert!(width(16) < width(3), "{} {}", width(16), width(3));
    assert_eq!(lived, runs(&ground, &seeds, 0.0, 1, &|| {}), "however many run at once");
}

#[test]
fn the_same_seed_is_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |threads: &str, picture: &Path| {
        let picture = picture.to_str().unwrap();
        let line =
            ["simulate", "--month", "2026-03", "--requests", "3000", "--seeds", "3", "--threads", threads];
        let more = ["--compare", "role:patrouilleur=2,online=20%", "--svg", picture, "--format", "json"];
        let ran = run(folder.path(), &[&line[..], &more[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        (ran.out, std::fs::read_to_string(picture).unwrap())
    };
    let (one, two) = (folder.path().join("one.svg"), folder.path().join("two.svg"));
    let first = ask("1", &one);
    assert_eq!(first, ask("2", &two));
    let report: serde_json::Value = serde_json::from_str(&first.0).unwrap();
    let received = report["summary"]["received"]["mean"].as_f64().unwrap();
    assert!((150.0..400.0).contains(&received), "{received}");
    assert!(report["compared"]["cost"]["mean"].as_f64().unwrap() < 0.0, "online is cheaper");
    assert!(first.1.starts_with("<svg xmlns") && !first.1.contains("<script"));
    let kinds: BTreeMap<&str, usize> =
        ["listitem", "<title>"].into_iter().map(|word| (word, first.1.matches(word).count())).collect();
    assert!(kinds.values().all(|count| *count > 50), "{kinds:?}");
}

#[test]
fn faults_of_assumptions_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hypotheses.yaml");
    let mut told = String::new();
    for text in [
        "work:\n  put_aside: 1.5\n",
        "staff:\n  peple: {}\n",
        "arrivals:\n  months: [1, 2, 3]\n",
        "staff:\n  people:\n    service:voiries: 3\n",
        "processes: { voirie/lune: 5 }\n",
    ] {
        std::fs::write(&file, text).unwrap();
        let line = ["simulate", "--month", "2026-03", "--requests", "500", "--seeds", "1", "--assumptions"];
        let ran = run(folder.path(), &[&line[..], &[file.to_str().unwrap()]].concat());
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        told.push_str(&ran.err.replace(folder.path().to_str().unwrap(), ""));
    }
    insta::assert_snapshot!(told, @r"
    erreur: /hypotheses.yaml, ligne 2, colonne 14 : 1.5: a share lies between 0 and 1
    erreur: /hypotheses.yaml, ligne 2, colonne 3 : unknown field `peple`, expected one of people, scale, time_for_requests, time_by_role, on_call, summer_weeks, other_weeks, sick_days
    erreur: /hypotheses.yaml, ligne 2, colonne 3 : invalid length 3, expected an array of length 12
    erreur: /hypotheses.yaml, ligne 3, colonne 5 : le catalogue n’a pas « service:voiries », ou en a plusieurs (service:voirie, role:ambassadrice@ville)
    erreur: /hypotheses.yaml, ligne 1, colonne 14 : le catalogue n’a pas « voirie/lune », ou en a plusieurs (service:voirie, role:ambassadrice@ville)
    ");
}

#[test]
fn what_it_takes_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let line = ["simulate", "--month", "2026-03", "--requests", "6000", "--seeds", "1", "--format", "json"];
    let more = ["--target", "90%", "--for", "service:etat-civil", "--for", "role:ambassadrice@ville"];
    let ran = run(folder.path(), &[&line[..], &more[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report = ran.json();
    let needs = report["needs"].as_array().unwrap();
    assert_eq!(needs.len(), 2);
    for need in needs {
        if let Some(people) = need["people"].as_u64() {
            assert!(need["kept"]["mean"].as_f64().unwrap() >= 0.9, "{need}");
            assert!(people <= 20, "{need}");
        }
    }
    assert!(needs.iter().any(|need| need["people"].is_u64()), "{needs:?}");
}
