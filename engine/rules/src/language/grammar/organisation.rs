//! `organisation.yaml`.

use super::{Group, Key, Referent, Shape};

/// A role.
pub static ROLE: Group = Group::new(
    "role",
    "Un rôle : ce qu’une personne peut faire, partout où une fiche dit `role:x`.",
    "A role: what a person may do, wherever a sheet says `role:x`.",
    &[
        Key::new("role", "Son nom court.", "Its short name.", Shape::Own(Referent::Role), "ambassadrice")
            .required(),
        Key::new(
            "title",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Ambassadrice\", en: \"Front-office agent\" }",
        )
        .required(),
    ],
);

/// A service.
pub static SERVICE: Group = Group::new(
    "service",
    "Un service, à qui des demandes sont confiées.",
    "A service, to which requests are given.",
    &[
        Key::new("service", "Son nom court.", "Its short name.", Shape::Own(Referent::Service), "voirie")
            .required(),
        Key::new("tenant", "Sa collectivité.", "Its collectivity.", Shape::Name(Referent::Tenant), "ville")
            .required(),
        Key::new(
            "title",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Voirie\", en: \"Roads\" }",
        )
        .required(),
        Key::new(
            "email",
            "Où le prévenir.",
            "Where it is told.",
            Shape::Email,
            "voirie@ville.chalons.example",
        )
        .required(),
        Key::new("phone", "Son téléphone.", "Its telephone number.", Shape::Text, "\"03 53 01 51 10\"")
            .default("aucun", "none"),
        Key::new(
            "head",
            "Son chef, par son matricule.",
            "Its head, by staff code.",
            Shape::Name(Referent::Person),
            "a20",
        )
        .default("personne", "nobody"),
    ],
);

/// A person.
pub static PERSON: Group = Group::new(
    "person",
    "Une personne, connue par son matricule. Son nom ne se montre qu’à ses collègues.",
    "A person, known by a staff code. Their name is shown to colleagues only.",
    &[
        Key::new(
            "person",
            "Son matricule, qui reste sur ce qu’elle fait.",
            "Their staff code, which stays on what they do.",
            Shape::Own(Referent::Person),
            "a20",
        )
        .required(),
        Key::new("name", "Son nom.", "Their name.", Shape::Text, "\"Hélène Vautrin\"").required(),
        Key::new("tenant", "Sa collectivité.", "Their collectivity.", Shape::Name(Referent::Tenant), "ville")
            .required(),
        Key::new(
            "roles",
            "Ses rôles.",
            "Their roles.",
            Shape::Many(&Shape::Name(Referent::Role)),
            "[chef-de-service]",
        )
        .default("aucun", "none"),
        Key::new(
            "services",
            "Ses services.",
            "Their services.",
            Shape::Many(&Shape::Name(Referent::Service)),
            "[voirie]",
        )
        .default("aucun", "none"),
        Key::new(
            "email",
            "Où la prévenir.",
            "Where they are told.",
            Shape::Email,
            "helene.vautrin@ville.chalons.example",
        )
        .default("par sa corbeille seulement", "by the inbox only"),
    ],
);

/// A stand-in.
pub static STAND_IN: Group = Group::new(
    "stand-in",
    "Une délégation : qui agit au nom d’un absent, d’un jour à l’autre. Le remplaçant d’un remplaçant n’a aucun pouvoir.",
    "A delegation: who acts in the name of someone absent, from one day to another. The stand-in of a stand-in has no power.",
    &[
        Key::new("for", "L’absent.", "Who is absent.", Shape::Name(Referent::Person), "a80").required(),
        Key::new("by", "Son suppléant.", "Who stands in.", Shape::Name(Referent::Person), "a20").required(),
        Key::new("from", "Premier jour.", "First day.", Shape::Date, "2026-01-01").required(),
        Key::new("until", "Dernier jour.", "Last day.", Shape::Date, "2027-12-31").required(),
        Key::new(
            "roles",
            "Pour quels rôles.",
            "For which roles.",
            Shape::Many(&Shape::Name(Referent::Role)),
            "[directeur]",
        )
        .default("tous", "all of them"),
    ],
);

/// An administration elsewhere.
pub static ADMINISTRATION: Group = Group::new(
    "administration",
    "Une administration d’ailleurs, à qui l’on transmet ce qui relève d’elle (CRPA L114-2) : le bordereau part par courriel, sinon par lettre.",
    "An administration elsewhere, to which what is its own to decide is passed on (CRPA L114-2): the summary slip goes by e-mail, else by letter.",
    &[
        Key::new(
            "administration",
            "Son nom court.",
            "Its short name.",
            Shape::Own(Referent::Administration),
            "prefecture",
        )
        .required(),
        Key::new(
            "title",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Préfecture de la Marne\", en: \"Prefecture of the Marne\" }",
        )
        .required(),
        Key::new(
            "email",
            "Où elle reçoit les demandes par courriel.",
            "Where it takes requests by e-mail.",
            Shape::Email,
            "courrier@prefecture.example",
        )
        .default("le bordereau part par lettre", "the slip goes by letter"),
        Key::new(
            "address",
            "Son adresse postale, des virgules entre les lignes.",
            "Its postal address, with commas between the lines.",
            Shape::Text,
            "\"38 rue Carnot, 51000 Châlons-en-Champagne\"",
        )
        .default("aucune", "none"),
    ],
);

/// Who does what.
pub static ORGANISATION: Group = Group::new(
    "organisation",
    "Qui fait quoi : rôles, services, personnes, délégations ; et à qui l’on transmet.",
    "Who does what: roles, services, people, stand-ins; and to whom requests are passed on.",
    &[
        Key::new("roles", "Les rôles.", "The roles.", Shape::List(&Shape::Group(&ROLE)), "[{ role: ambassadrice, title: \"Ambassadrice\" }, { role: patrouilleur, title: \"Patrouilleur\" }, { role: chef-de-service, title: \"Chef de service\" }, { role: directeur, title: \"Directeur\" }, { role: dga, title: \"DGA\" }, { role: elu, title: \"Élu\" }]").required(),
        Key::new("services", "Les services.", "The services.", Shape::List(&Shape::Group(&SERVICE)), "[{ service: voirie, tenant: ville, title: \"Voirie\", email: voirie@ville.chalons.example, head: a20 }, { service: astreinte, tenant: ville, title: \"Astreinte\", email: astreinte@ville.chalons.example }]").required(),
        Key::new("people", "Les personnes.", "The people.", Shape::List(&Shape::Group(&PERSON)), "[{ person: a01, name: \"Inès\", tenant: ville, roles: [ambassadrice] }, { person: a02, name: \"Marc\", tenant: ville }, { person: a20, name: \"Hélène\", tenant: ville, roles: [chef-de-service, patrouilleur], services: [voirie] }, { person: a80, name: \"Paul\", tenant: ville, roles: [directeur, dga] }, { person: a90, name: \"Zoé\", tenant: ville, roles: [elu] }]").required(),
        Key::new("standins", "Les délégations.", "The stand-ins.", Shape::List(&Shape::Group(&STAND_IN)), "[{ for: a80, by: a20, from: 2026-01-01, until: 2027-12-31, roles: [directeur] }]").default("aucune", "none"),
        Key::new("administrations", "Les administrations d’ailleurs, à qui l’on transmet.", "The administrations elsewhere, to which requests are passed on.", Shape::List(&Shape::Group(&ADMINISTRATION)), "[{ administration: prefecture, title: \"Préfecture de la Marne\", email: courrier@prefecture.example }]").default("aucune", "none"),
    ],
);
