//! Public holidays, computed from the date of Easter and from fixed days; none is typed in year by year.

use chrono::{Days, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A public holiday of the French labour code (L3133-1, L3134-13 for Alsace-Moselle, L3422-2 overseas).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// 1 January.
    NewYear,
    /// The Friday before Easter; Alsace-Moselle only.
    GoodFriday,
    /// The day after Easter.
    EasterMonday,
    /// 1 May.
    LabourDay,
    /// 8 May.
    Victory1945,
    /// 39 days after Easter.
    Ascension,
    /// 50 days after Easter.
    WhitMonday,
    /// 14 July.
    NationalDay,
    /// 15 August.
    Assumption,
    /// 1 November.
    AllSaints,
    /// 11 November.
    Armistice1918,
    /// 25 December.
    Christmas,
    /// 26 December; Alsace-Moselle only.
    SaintStephen,
    /// The day slavery was abolished; overseas, each territory on its own date.
    AbolitionOfSlavery,
}

impl Holiday {
    /// Its name in French and in English.
    #[must_use]
    pub fn name(self) -> Text {
        let (fr, en) = match self {
            Self::NewYear => ("Jour de l’An", "New Year’s Day"),
            Self::GoodFriday => ("Vendredi saint", "Good Friday"),
            Self::EasterMonday => ("Lundi de Pâques", "Easter Monday"),
            Self::LabourDay => ("Fête du Travail", "Labour Day"),
            Self::Victory1945 => ("Victoire de 1945", "Victory in Europe Day"),
            Self::Ascension => ("Ascension", "Ascension Day"),
            Self::WhitMonday => ("Lundi de Pentecôte", "Whit Monday"),
            Self::NationalDay => ("Fête nationale", "Bastille Day"),
            Self::Assumption => ("Assomption", "Assumption Day"),
            Self::AllSaints => ("Toussaint", "All Saints’ Day"),
            Self::Armistice1918 => ("Armistice de 1918", "Armistice Day"),
            Self::Christmas => ("Noël", "Christmas Day"),
            Self::SaintStephen => ("Saint-Étienne", "Saint Stephen’s Day"),
            Self::AbolitionOfSlavery => ("Abolition de l’esclavage", "Abolition of slavery"),
        };
        Text::new(fr, en)
    }
}

/// Which holidays a calendar keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum HolidaySet {
    /// No holiday at all: a service on call.
    #[serde(rename = "none")]
    None,
    /// The eleven of the labour code.
    #[serde(rename = "FR")]
    France,
    /// Those, Good Friday and 26 December.
    #[serde(rename = "FR-alsace-moselle")]
    AlsaceMoselle,
    /// The eleven and 27 May.
    #[serde(rename = "FR-guadeloupe")]
    Guadeloupe,
    /// The eleven and 22 May.
    #[serde(rename = "FR-martinique")]
    Martinique,
    /// The eleven and 10 June.
    #[serde(rename = "FR-guyane")]
    Guyane,
    /// The eleven and 20 December.
    #[serde(rename = "FR-reunion")]
    Reunion,
    /// The eleven and 27 April.
    #[serde(rename = "FR-mayotte")]
    Mayotte,
}

impl HolidaySet {
    /// Every set that is known, in the order in which a message lists them.
    pub const ALL: [Self; 8] = [
        Self::France,
        Self::AlsaceMoselle,
        Self::Guadeloupe,
        Self::Martinique,
        Self::Guyane,
        Self::Reunion,
        Self::Mayotte,
        Self::None,
    ];

    /// The name by which a sheet calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::France => "FR",
            Self::AlsaceMoselle => "FR-alsace-moselle",
            Self::Guadeloupe => "FR-guadeloupe",
            Self::Martinique => "FR-martinique",
            Self::Guyane => "FR-guyane",
            Self::Reunion => "FR-reunion",
            Self::Mayotte => "FR-mayotte",
        }
    }

    /// The set of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// The holidays of a year in order of date. Two that fall on one date stand side by side (1 May 2008 was
    /// Labour Day and Ascension Day: one day off, two names). Empty outside the years 1900 to 2600.
    #[must_use]
    pub fn of_year(self, year: i32) -> Vec<(NaiveDate, Holiday)> {
        if self == Self::None || !(1900..=2600).contains(&year) {
            return Vec::new();
        }
        let mut dates = Vec::with_capacity(13);
        let mut add = |date: Option<NaiveDate>, holiday| dates.extend(date.map(|date| (date, holiday)));
        for (month, day, holiday) in FIXED {
            add(NaiveDate::from_ymd_opt(year, month, day), holiday);
        }
        if let Some((month, day)) = self.abolition() {
            add(NaiveDate::from_ymd_opt(year, month, day), Holiday::AbolitionOfSlavery);
        }
        let easter = easter_sunday(year);
        let after_easter = |days| easter.and_then(|date| date.checked_add_days(Days::new(days)));
        add(after_easter(1), Holiday::EasterMonday);
        add(after_easter(39), Holiday::Ascension);
        add(after_easter(50), Holiday::WhitMonday);
        if self == Self::AlsaceMoselle {
            add(easter.and_then(|date| date.checked_sub_days(Days::new(2))), Holiday::GoodFriday);
            add(NaiveDate::from_ymd_opt(year, 12, 26), Holiday::SaintStephen);
        }
        dates.sort();
        dates
    }

    fn abolition(self) -> Option<(u32, u32)> {
        match self {
            Self::Mayotte => Some((4, 27)),
            Self::Martinique => Some((5, 22)),
            Self::Guadeloupe => Some((5, 27)),
            Self::Guyane => Some((6, 10)),
            Self::Reunion => Some((12, 20)),
            Self::None | Self::France | Self::AlsaceMoselle => None,
        }
    }
}

const FIXED: [(u32, u32, Holiday); 8] = [
    (1, 1, Holiday::NewYear),
    (5, 1, Holiday::LabourDay),
    (5, 8, Holiday::Victory1945),
    (7, 14, Holiday::NationalDay),
    (8, 15, Holiday::Assumption),
    (11, 1, Holiday::AllSaints),
    (11, 11, Holiday::Armistice1918),
    (12, 25, Holiday::Christmas),
];

/// Easter Sunday of a Gregorian year (1583 or later), by the method of the anonymous Gregorian computus.
#[must_use]
pub fn easter_sunday(year: i32) -> Option<NaiveDate> {
    if year < 1583 {
        return None;
    }
    let golden = year % 19;
    let (century, in_century) = (year / 100, year % 100);
    let leap_centuries = century / 4;
    let moon_correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - leap_centuries - moon_correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(days / 31).ok()?, u32::try_from(days % 31 + 1).ok()?)
}
