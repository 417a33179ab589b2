//! Invented people of Châlons. Any likeness is chance: names are put together from lists, addresses end in `.example`.

use guichet_engine::rules::process::{Channel, Delivery};
use guichet_engine::rules::request::{Contact, RequesterInput, RequesterKind};
use guichet_engine::rules::text::Language;

use super::dice::Dice;

const FIRST: [&str; 40] = [
    "Camille",
    "Louise",
    "Emma",
    "Jules",
    "Gabriel",
    "Léo",
    "Manon",
    "Chloé",
    "Inès",
    "Hugo",
    "Lucas",
    "Nathan",
    "Sarah",
    "Yasmine",
    "Mehdi",
    "Karim",
    "Fatima",
    "Aminata",
    "Moussa",
    "Thomas",
    "Julie",
    "Nicolas",
    "Sandrine",
    "Christophe",
    "Valérie",
    "Stéphanie",
    "Laurent",
    "Patricia",
    "Michel",
    "Jacqueline",
    "Monique",
    "Bernard",
    "Gérard",
    "Odette",
    "Simone",
    "Maria",
    "Paulo",
    "Elena",
    "Anaïs",
    "Théo",
];
const LAST: [&str; 40] = [
    "Aubry",
    "Barbier",
    "Benoît",
    "Berthelot",
    "Bouvier",
    "Brisson",
    "Caron",
    "Charpentier",
    "Collin",
    "Cordier",
    "Delaunay",
    "Deschamps",
    "Diallo",
    "Dumont",
    "Fabre",
    "Ferreira",
    "Gaillard",
    "Garnier",
    "Guérin",
    "Haddad",
    "Hubert",
    "Jacquet",
    "Kowalski",
    "Lambert",
    "Launay",
    "Leclerc",
    "Lefort",
    "Marchal",
    "Mercier",
    "Millet",
    "Moreau",
    "Noël",
    "Perrin",
    "Petit",
    "Picard",
    "Renard",
    "Roussel",
    "Simon",
    "Traoré",
    "Vasseur",
];
/// Streets, each with a point on it: latitude and longitude in millionths of a degree.
const STREETS: [(&str, i64, i64); 24] = [
    ("rue de la Marne", 48_956_800, 4_364_900),
    ("place de la République", 48_956_300, 4_363_200),
    ("rue de Jessaint", 48_958_900, 4_370_400),
    ("allée Paul Doumer", 48_954_100, 4_366_300),
    ("avenue de Metz", 48_961_700, 4_386_100),
    ("avenue du Général Sarrail", 48_961_200, 4_362_100),
    ("rue du Faubourg Saint-Antoine", 48_963_300, 4_362_600),
    ("avenue de Paris", 48_953_200, 4_341_500),
    ("rue de Fagnières", 48_955_000, 4_349_700),
    ("avenue Winston Churchill", 48_945_300, 4_383_200),
    ("avenue du Président Roosevelt", 48_943_300, 4_371_200),
    ("rue du Docteur Maillot", 48_939_900, 4_356_900),
    ("boulevard Victor Hugo", 48_955_900, 4_372_800),
    ("rue Grande Étape", 48_955_400, 4_365_600),
    ("rue Carnot", 48_953_600, 4_363_800),
    ("quai Notre-Dame", 48_957_300, 4_358_300),
    ("rue Jean-Jaurès", 48_955_600, 4_353_200),
    ("rue Clovis Jacquiert", 48_970_900, 4_344_100),
    ("avenue des Alliés", 48_966_200, 4_376_800),
    ("rue du Mont Héry", 48_974_000, 4_395_000),
    ("rue de la Bidée", 48_973_500, 4_326_000),
    ("rue Émile Schmit", 48_937_000, 4_375_900),
    ("chemin de la Vallée Saint-Pierre", 48_953_000, 4_401_000),
    ("rue de Madagascar", 48_933_500, 4_401_700),
];

/// A place in the town.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// Degrees (WGS 84).
    pub(super) lat: f64,
    /// Degrees (WGS 84).
    pub(super) lon: f64,
    /// Number and street.
    pub(super) street: String,
}

/// Somewhere in the town, within some fifty metres of a street.
pub(super) fn spot(dice: &mut Dice) -> Spot {
    let (street, lat, lon) = dice.pick(&STREETS).copied().unwrap_or(STREETS[0]);
    let number = dice.between(1, 120);
    let (lat, lon) = (lat + dice.between(-450, 450), lon + dice.between(-680, 680));
    Spot { lat: degrees(lat), lon: degrees(lon), street: format!("{number} {street}") }
}

#[allow(clippy::cast_precision_loss, reason = "millionths of a degree are far below 2^53")]
fn degrees(millionths: i64) -> f64 {
    millionths as f64 / 1e6
}

/// A first and a last name.
pub(super) fn name(dice: &mut Dice) -> (String, String) {
    let first = dice.pick(&FIRST).copied().unwrap_or_default();
    let last = dice.pick(&LAST).copied().unwrap_or_default();
    (first.to_owned(), last.to_owned())
}

/// A mobile number from the range that is set aside for works of fiction.
pub(super) fn phone(dice: &mut Dice) -> String {
    format!("06 39 98 {:02} {:02}", dice.between(0, 99), dice.between(0, 99))
}

/// A postal address, in lines.
pub(super) fn address(dice: &mut Dice) -> String {
    format!("{}, 51000 Châlons-en-Champagne", spot(dice).street)
}

/// A requester who came through `channel`; `may_be_nobody` where the process takes requests without a name.
pub(super) fn requester(dice: &mut Dice, channel: Channel, may_be_nobody: bool) -> RequesterInput {
    let language = if dice.chance(25) { Language::En } else { Language::Fr };
    let nobody = match channel {
        Channel::Web | Channel::Mobile | Channel::Social => 260,
        Channel::Phone => 150,
        Channel::Counter
        | Channel::Letter
        | Channel::Email
        | Channel::Sms
        | Channel::Patrol
        | Channel::Council => 0,
    };
    if channel == Channel::Patrol || (may_be_nobody && dice.chance(nobody)) {
        return RequesterInput { language, ..RequesterInput::default() };
    }
    let (first, last) = name(dice);
    let email_permille = match channel {
        Channel::Email => 1000,
        Channel::Web | Channel::Mobile => 900,
        Channel::Social => 600,
        Channel::Counter | Channel::Phone | Channel::Council => 550,
        Channel::Letter => 250,
        Channel::Sms | Channel::Patrol => 300,
    };
    let phone_permille = match channel {
        Channel::Phone | Channel::Sms => 1000,
        Channel::Web | Channel::Mobile | Channel::Counter => 650,
        Channel::Email | Channel::Letter | Channel::Social | Channel::Patrol | Channel::Council => 350,
    };
    let email = dice.chance(email_permille).then(|| {
        let plain =
            |text: &str| text.to_lowercase().chars().filter(char::is_ascii_lowercase).collect::<String>();
        format!("{}.{}{}@courriel.example", plain(&first), plain(&last), dice.between(1, 99))
    });
    let phone = dice.chance(phone_permille).then(|| phone(dice));
    let written = channel == Channel::Letter || (email.is_none() && dice.chance(500));
    let address = written.then(|| address(dice));
    let preferred = match (&email, &phone, &address) {
        (_, _, Some(_)) if channel == Channel::Letter => Some(Delivery::Letter),
        (None, Some(_), _) => dice.chance(700).then_some(Delivery::Sms),
        (Some(_), _, _) => dice.chance(500).then_some(Delivery::Email),
        (None, None, _) => None,
    };
    let kind = if dice.chance(40) {
        RequesterKind::Association
    } else if dice.chance(60) {
        RequesterKind::Organisation
    } else {
        RequesterKind::Person
    };
    let account = matches!(channel, Channel::Web | Channel::Mobile) && dice.chance(450);
    let contact = Contact { name: Some(format!("{first} {last}")), email, phone, address, social: None };
    RequesterInput { kind, language, preferred, account, account_id: None, contact }
}
