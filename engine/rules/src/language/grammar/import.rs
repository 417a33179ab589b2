//! `imports/*.yaml`: how the rows of another system's file become requests.

use super::words::{BLANK_AREAS, CHANNELS, IMPORT_FORMATS, LANGUAGES, OPENERS};
use super::{Group, Key, Referent, Shape};

const COLUMN: Key =
    Key::new("column", "La colonne.", "The column.", Shape::Name(Referent::Column), "prefixe").required();
const TENANT: &str = "ville";

/// When a request was received.
pub static RECEIVED: Group = Group::new(
    "received",
    "Quand la demande est arrivée. Une date se prend à `time` dans `zone` ; sans eux la colonne a des instants.",
    "When the request came in. A date is taken at `time` in `zone`; without them the column has instants.",
    &[
        COLUMN,
        Key::new(
            "time",
            "L’heure à laquelle une date est prise ; va avec `zone`.",
            "The time of day at which a date is taken; goes with `zone`.",
            Shape::TimeOfDay,
            "\"12:00\"",
        )
        .default("la colonne a des instants", "the column has instants"),
        Key::new(
            "zone",
            "Son fuseau horaire ; va avec `time`.",
            "Its time zone; goes with `time`.",
            Shape::Name(Referent::Zone),
            "Europe/Paris",
        )
        .default("la colonne a des instants", "the column has instants"),
    ],
);

/// The file.
pub static SOURCE: Group = Group::new(
    "source",
    "Le fichier : son format, et les colonnes que toute demande demande.",
    "The file: its format, and the columns that every request needs.",
    &[
        Key::new("format", "Son format.", "Its format.", Shape::OneOf(&IMPORT_FORMATS), "csv").required(),
        Key::new(
            "separator",
            "Ce qui sépare les colonnes : un caractère ASCII.",
            "What stands between columns: one ASCII character.",
            Shape::Character,
            "\";\"",
        )
        .default("`,`", "`,`"),
        Key::new(
            "id",
            "La colonne qui identifie la ligne ; elle reste le numéro externe de la demande.",
            "The column that identifies the row; it is kept as the request’s external number.",
            Shape::Name(Referent::Column),
            "id_dmr",
        )
        .required(),
        Key::new(
            "received",
            "Quand la demande est arrivée.",
            "When the request came in.",
            Shape::Group(&RECEIVED),
            "{ column: datedecl, zone: Europe/Paris, time: \"12:00\" }",
        )
        .required(),
    ],
);

/// A channel found by a column.
pub static CHANNEL_LOOKUP: Group = Group::new(
    "channel by column",
    "Le canal, selon une colonne. Une ligne qu’on ne sait pas ranger est mise de côté.",
    "The channel, by a column. A row that fits nowhere is kept aside.",
    &[
        COLUMN,
        Key::new(
            "map",
            "Des valeurs de la colonne aux canaux.",
            "From the column’s values to channels.",
            Shape::Named(Referent::Cell, &Shape::OneOf(&CHANNELS)),
            "{ Android: mobile, \"Back Office\": phone }",
        )
        .required(),
        Key::new(
            "blank",
            "Ce que veut dire une case vide.",
            "What an empty value means.",
            Shape::OneOf(&CHANNELS),
            "web",
        )
        .default("la ligne est mise de côté", "the row is kept aside"),
        Key::new(
            "otherwise",
            "Ce que veut dire toute autre valeur.",
            "What any other value means.",
            Shape::OneOf(&CHANNELS),
            "web",
        )
        .default("la ligne est mise de côté", "the row is kept aside"),
    ],
);

/// An opener found by a column.
pub static OPENER_LOOKUP: Group = Group::new(
    "opener by column",
    "Qui ouvre la demande, selon une colonne.",
    "Who opens the request, by a column.",
    &[
        COLUMN,
        Key::new(
            "map",
            "Des valeurs de la colonne à qui ouvre.",
            "From the column’s values to openers.",
            Shape::Named(Referent::Cell, &Shape::OneOf(&OPENERS)),
            "{ \"Back Office\": agent }",
        )
        .required(),
        Key::new(
            "blank",
            "Ce que veut dire une case vide.",
            "What an empty value means.",
            Shape::OneOf(&OPENERS),
            "citizen",
        )
        .default("la ligne est mise de côté", "the row is kept aside"),
        Key::new(
            "otherwise",
            "Ce que veut dire toute autre valeur.",
            "What any other value means.",
            Shape::OneOf(&OPENERS),
            "citizen",
        )
        .default("la ligne est mise de côté", "the row is kept aside"),
    ],
);

/// A value of the form.
pub static VALUE: Group = Group::new(
    "import value",
    "Une valeur : d’une colonne, toujours la même, ou un lieu.",
    "A value: of a column, always the same, or a place.",
    &[
        Key::new(
            "column",
            "Le texte de cette colonne.",
            "The text of this column.",
            Shape::Name(Referent::Column),
            "anneedecl",
        ),
        Key::new("value", "Toujours cette valeur.", "Always this value.", Shape::Any, "true"),
        Key::new(
            "lat",
            "La colonne de la latitude.",
            "The column of the latitude.",
            Shape::Name(Referent::Column),
            "lat",
        ),
        Key::new(
            "lon",
            "La colonne de la longitude.",
            "The column of the longitude.",
            Shape::Name(Referent::Column),
            "lon",
        ),
        Key::new(
            "address",
            "La colonne de l’adresse, pour un lieu.",
            "The column of the address, for a place.",
            Shape::Name(Referent::Column),
            "adresse",
        ),
    ],
)
.ways(&[&["column"], &["value"], &["lat", "lon"]]);

const FORM: Shape = Shape::Named(Referent::Field, &Shape::Either(&[Shape::Group(&VALUE), Shape::Any]));

/// Tests of a column.
pub static TESTS: Group = Group::new(
    "test",
    "Des conditions sur une colonne, qui doivent toutes tenir. Casse et espaces ne comptent pas.",
    "Tests of a column, which must all hold. Letter case and spaces do not count.",
    &[
        Key::new(
            "is",
            "C’est ce texte, ou l’un de ceux-ci.",
            "It is this text, or one of these.",
            Shape::Many(&Shape::Text),
            "[Android, iOS]",
        ),
        Key::new(
            "starts_with",
            "Cela commence ainsi.",
            "It starts like this.",
            Shape::Many(&Shape::Text),
            "Trottoirs",
        ),
        Key::new(
            "contains",
            "On y lit cela.",
            "It contains this.",
            Shape::Many(&Shape::Text),
            "[danger, trou]",
        ),
    ],
);

/// A rule that names the process.
pub static IMPORT_RULE: Group = Group::new(
    "import rule",
    "Une règle : la première qui tient donne la fiche.",
    "A rule: the first that holds gives the process.",
    &[
        Key::new(
            "when",
            "Des colonnes à ce qu’on y lit.",
            "From columns to what is read there.",
            Shape::Named(
                Referent::Column,
                &Shape::Either(&[Shape::Group(&TESTS), Shape::Many(&Shape::Text)]),
            ),
            "{ type: \"Voirie et espace public\", soustype: { contains: danger } }",
        )
        .default("toujours", "always"),
        Key::new("is", "La fiche.", "The process.", Shape::Name(Referent::Process), "voirie/chaussee-abimee")
            .required(),
        Key::new(
            "tenant",
            "La collectivité, si ce n’est pas celle de tous.",
            "The collectivity, if not that of all.",
            Shape::Name(Referent::Tenant),
            TENANT,
        )
        .default("celle de toutes les lignes", "that of all rows"),
        Key::new(
            "form",
            "Les valeurs du formulaire, qui l’emportent sur les communes.",
            "The form’s values, which win over the common ones.",
            FORM,
            "{ danger: true }",
        )
        .default("les communes", "the common ones"),
    ],
);

/// The rules.
pub static IMPORT_RULES: Group = Group::new(
    "import rules",
    "Les règles qui donnent la fiche.",
    "The rules that give the process.",
    &[Key::new(
        "rules",
        "Les règles, de haut en bas. Si aucune ne tient, la ligne est mise de côté.",
        "The rules, from the top. If none holds, the row is kept aside.",
        Shape::List(&Shape::Group(&IMPORT_RULE)),
        "[{ when: { type: Eau }, is: voirie/chaussee-abimee }]",
    )
    .required()],
);

/// The neighbourhood.
pub static AREA: Group = Group::new(
    "area",
    "Le quartier.",
    "The neighbourhood.",
    &[
        Key::new(
            "column",
            "La colonne qui le nomme.",
            "The column that names it.",
            Shape::Name(Referent::Column),
            "conseilquartier",
        )
        .required(),
        Key::new(
            "blank",
            "Ce que devient une case vide.",
            "What becomes of an empty value.",
            Shape::OneOf(&BLANK_AREAS),
            "locate",
        )
        .default("`blank`", "`blank`"),
    ],
);

/// A map of columns.
pub static IMPORT_MAP: Group = Group::new("import map", "Comment les lignes du fichier d’un autre système deviennent des demandes.", "How the rows of another system’s file become requests.", &[
    Key::new("import", "Le nom du plan ; avec le numéro de la ligne, il fait celui de la demande.", "The map’s name; with the row’s id it makes the request’s.", Shape::Own(Referent::Import), "dansmarue").required(),
    Key::new("source", "Le fichier.", "The file.", Shape::Group(&SOURCE), "{ format: csv, id: id_dmr, received: { column: datedecl, zone: Europe/Paris, time: \"12:00\" } }").required(),
    Key::new("channel", "Le canal : un mot, ou selon une colonne.", "The channel: a word, or by a column.", Shape::Either(&[Shape::Group(&CHANNEL_LOOKUP), Shape::OneOf(&CHANNELS)]), "{ column: prefixe, map: { Android: mobile }, otherwise: web }").required(),
    Key::new("opened_by", "Qui ouvre la demande : un mot, ou selon une colonne.", "Who opens the request: a word, or by a column.", Shape::Either(&[Shape::Group(&OPENER_LOOKUP), Shape::OneOf(&OPENERS)]), "{ column: prefixe, map: { \"Back Office\": agent }, otherwise: citizen, blank: citizen }").default("`citizen`", "`citizen`"),
    Key::new("language", "La langue des demandeurs.", "The requesters’ language.", Shape::OneOf(&LANGUAGES), "fr").default("`fr`", "`fr`"),
    Key::new("tenant", "La collectivité qui reçoit.", "The collectivity that receives.", Shape::Name(Referent::Tenant), TENANT).required(),
    Key::new("form", "Les valeurs communes du formulaire ; celles d’un champ que la fiche n’a pas sont laissées.", "The form’s common values; those of a field that the process does not have are left out.", FORM, "{ place: { lat: lat, lon: lon, address: adresse }, nature: { column: soustype } }").default("rien", "nothing"),
    Key::new("area", "Le quartier.", "The neighbourhood.", Shape::Group(&AREA), "{ column: conseilquartier, blank: locate }").default("selon le lieu", "by the place"),
    Key::new("process", "La fiche de chaque ligne.", "The process of each row.", Shape::Group(&IMPORT_RULES), "{ rules: [{ when: { type: Eau }, is: voirie/chaussee-abimee }, { is: voirie/chaussee-abimee }] }").required(),
]);
