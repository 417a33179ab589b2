//! Calendars and people.

use super::{Page, page_of};

const CALENDAR: &str = "calendars/mairie.yaml";
const ORGANISATION: &str = "organisation.yaml";
const TROU: &str = "voirie/trou.yaml";
const CLOSURES: &str = "closures: [ { from: 2026-08-03, until: 2026-08-14 } ]";
const STANDIN: &str = "{ for: a03, by: a02, from: 2026-01-01, until: 2026-12-31 }";

pub(super) const PAGES: &[Page] = &[
    page_of("calendar.zone", "Fuseau horaire inconnu", "Unknown time zone")
        .cause(
            "Les heures d’ouverture se lisent dans un fuseau, nommé comme dans les tables de l’IANA.",
            "Opening hours are read in a time zone, named as in the tables of the IANA.",
        )
        .remedy("En métropole : `Europe/Paris`.", "In metropolitan France: `Europe/Paris`.")
        .example(CALENDAR, "zone: Europe/Paris", "zone: Europe/paris")
        .certain(),
    page_of("calendar.holidays", "Jeu de jours fériés inconnu", "Unknown set of holidays")
        .cause(
            "Les échéances sautent les jours fériés : il faut savoir lesquels.",
            "Due dates skip public holidays: it must be known which.",
        )
        .remedy(
            "`FR`, `FR-alsace-moselle`, un jeu d’outre-mer, ou `none`.",
            "`FR`, `FR-alsace-moselle`, one of the overseas sets, or `none`.",
        )
        .example(CALENDAR, "holidays: FR", "holidays: fr")
        .certain(),
    page_of("calendar.hours", "Des heures qui ne vont pas", "Hours that do not fit")
        .cause(
            "Deux plages se chevauchent, ou une plage finit avant de commencer.",
            "Two intervals overlap, or one ends before it begins.",
        )
        .remedy("Corrigez les heures.", "Correct the hours.")
        .example(CALENDAR, "\"09:00-12:00\", \"14:00-17:00\"", "\"09:00-14:30\", \"14:00-17:00\""),
    page_of("calendar.closure", "Une fermeture à l’envers", "A closure that ends before it begins")
        .cause("Sa fin vient avant son début.", "Its end comes before its beginning.")
        .remedy("Échangez ou corrigez les dates.", "Exchange or correct the dates.")
        .example(CALENDAR, CLOSURES, "closures: [ { from: 2026-08-14, until: 2026-08-03 } ]"),
    page_of("calendar.never_open", "Un calendrier jamais ouvert", "A calendar that is never open")
        .cause(
            "Aucune heure d’ouverture : une promesse en jours ouvrés n’échoirait jamais.",
            "There are no opening hours: a promise in working days would never fall due.",
        )
        .remedy("Donnez des heures à au moins un jour.", "Give hours to one day at least.")
        .example(
            CALENDAR,
            "hours: { mon: [\"09:00-12:00\", \"14:00-17:00\"], tue: [\"09:00-17:00\"], wed: [\"09:00-17:00\"], thu: [\"09:00-17:00\"], fri: [\"09:00-17:00\"] }",
            "hours: {}",
        ),
    page_of("calendar.invalid", "Un calendrier inutilisable", "A calendar that cannot be used")
        .cause(
            "Une date est hors des années connues, ou une liste est trop longue.",
            "A date lies outside the years that are known, or a list is too long.",
        )
        .remedy("Corrigez ce que le message nomme.", "Correct what the message names.")
        .example(CALENDAR, CLOSURES, "closures: [ { on: 1026-08-03 } ]")
        .rather("closures: [ { on: 2026-08-03 } ]"),
    page_of("calendar.shape", "Ce n’est pas un calendrier", "This is not a calendar")
        .cause(
            "`guichet due` a reçu un fichier qui n’a pas les clés d’un calendrier.",
            "`guichet due` was given a file that does not have the keys of a calendar.",
        )
        .remedy(
            "Donnez-lui un fichier de `calendars/` : zone, holidays, hours.",
            "Give it a file of `calendars/`: zone, holidays, hours.",
        )
        .example(CALENDAR, "holidays: FR", "holiday: FR"),
    page_of("standin.backwards", "Une délégation à l’envers", "A stand-in that ends before it begins")
        .cause("Sa fin vient avant son début.", "Its end comes before its beginning.")
        .remedy("Échangez ou corrigez les dates.", "Exchange or correct the dates.")
        .example(ORGANISATION, STANDIN, "{ for: a03, by: a02, from: 2026-12-31, until: 2026-01-01 }"),
    page_of("standin.self", "Se remplacer soi-même", "Standing in for oneself")
        .cause("Un absent ne se remplace pas.", "Who is absent cannot stand in.")
        .remedy("Nommez un autre agent.", "Name somebody else.")
        .example(ORGANISATION, STANDIN, "{ for: a03, by: a03, from: 2026-01-01, until: 2026-12-31 }"),
    page_of("administration.tenant", "Une collectivité déclarée comme administration d’ailleurs", "A collectivity declared as an administration elsewhere")
        .cause(
            "On ne saurait plus si ce nom désigne la collectivité, dont la demande rejoint la corbeille, ou l’autre.",
            "Nobody could tell whether this name means the collectivity, whose inbox the request reaches, or the other.",
        )
        .remedy(
            "Une collectivité du catalogue ne se déclare pas ici ; donnez un autre nom à l’administration.",
            "A collectivity of the catalogue is not declared here; call the administration otherwise.",
        )
        .example(ORGANISATION, "administration: prefecture", "administration: agglo"),
    page_of("administration.unreachable", "Une administration que rien n’atteint", "An administration that nothing reaches")
        .cause(
            "Sans courriel ni adresse, le bordereau s’imprime sans destinataire : l’agent doit le trouver lui-même.",
            "Without an e-mail or an address the slip is printed for nobody: the agent has to find out where it goes.",
        )
        .remedy("Donnez `email` ou `address`.", "Give `email` or `address`.")
        .example(ORGANISATION, ", address: \"1 place d’Armes, 51000 Bourg\"", "")
        .rather(", email: courrier@departement.example")
        .warning(),
    page_of("role.nobody", "Un rôle que personne ne tient", "A role that nobody holds")
        .cause(
            "La demande attendrait quelqu’un qui n’existe pas.",
            "The request would wait for somebody who does not exist.",
        )
        .remedy(
            "Donnez le rôle à un agent dans organisation.yaml, ou nommez un autre rôle.",
            "Give the role to somebody in organisation.yaml, or name another.",
        )
        .example(TROU, "by: role:accueil", "by: role:archiviste"),
    page_of("role.nobody_there", "Un rôle que personne ne tient dans une collectivité", "A role that nobody holds in one collectivity")
        .cause(
            "Chaque collectivité traite ses demandes avec ses agents ; l’une de celles qui proposent la démarche n’a \
             personne pour ce rôle.",
            "Each collectivity treats its requests with its own staff; one that offers the process has nobody for this role.",
        )
        .remedy(
            "Restreignez `tenants`, ou donnez le rôle à un agent de cette collectivité.",
            "Restrict `tenants`, or give the role to somebody of that collectivity.",
        )
        .example(TROU, "tenants: [ville]", "tenants: [ville, agglo]")
        .warning(),
    page_of("service.other_tenant", "Le service d’une autre collectivité", "The service of another collectivity")
        .cause(
            "Une demande ne passe pas d’une collectivité à l’autre par une règle : elle se transmet.",
            "A rule does not carry a request from one collectivity to another: forwarding does.",
        )
        .remedy(
            "Nommez un service d’une collectivité qui propose la démarche, ou ajoutez-la à `tenants`.",
            "Name a service of a collectivity that offers the process, or add it to `tenants`.",
        )
        .example("voirie/trottoir.yaml", "to: service:voirie", "to: service:eau"),
];
