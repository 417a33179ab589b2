//! One rule.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";
const RULE: &str = "when: form.danger && form.width > 100,";

const fn rule(code: &'static str, fr: &'static str, en: &'static str, bad: &'static str) -> Page {
    page_of(code, fr, en).example(TROU, RULE, bad)
}

pub(super) const PAGES: &[Page] = &[
    rule(
        "expression.syntax",
        "Une règle illisible",
        "A rule that cannot be read",
        "when: form.danger and form.width > 100,",
    )
    .cause(
        "Il manque une parenthèse ou un guillemet, ou un mot n’est pas celui des règles.",
        "A bracket or a quote is missing, or a word is not one of the language of rules.",
    )
    .remedy(
        "Et : `&&` ; ou : `||` ; non : `!` ; égal : `==`. Les textes se mettent entre apostrophes.",
        "And: `&&`; or: `||`; not: `!`; equal: `==`. Texts stand in single quotes.",
    )
    .certain(),
    rule(
        "expression.unknown_name",
        "Un nom inconnu dans une règle",
        "An unknown name in a rule",
        "when: form.dangr && form.width > 100,",
    )
    .cause(
        "Le formulaire, les tâches et la demande n’ont rien de ce nom : la règle ne tiendrait jamais.",
        "Neither the form, the tasks nor the request has anything of this name: the rule would never hold.",
    )
    .remedy("Corrigez le nom, ou ajoutez le champ.", "Correct the name, or add the field.")
    .certain(),
    rule(
        "expression.unknown_function",
        "Une fonction inconnue",
        "An unknown function",
        "when: form.danger && absolute(form.width) > 100,",
    )
    .cause("Les règles ont peu de fonctions.", "Rules have few functions.")
    .remedy("Prenez une de celles qui sont indiquées.", "Take one of those listed."),
    rule(
        "expression.no_field",
        "Une valeur sans parties",
        "A value without parts",
        "when: form.danger.yes && form.width > 100,",
    )
    .cause(
        "Ce qui précède le point est un nombre, un oui ou non, un texte : il n’a pas de champs.",
        "What stands before the dot is a number, a yes or no, a text: it has no fields.",
    )
    .remedy("Retirez ce qui suit le point.", "Leave out what follows the dot."),
    rule(
        "expression.group",
        "Un ensemble au lieu d’une valeur",
        "A group instead of a value",
        "when: form.place == 'centre',",
    )
    .cause(
        "`form`, un lieu, une tâche sont des ensembles : on en compare une partie.",
        "`form`, a place, a task are groups: one of their parts is compared.",
    )
    .remedy("Nommez la partie, comme `.area`.", "Name the part, such as `.area`.")
    .rather("when: form.place.area == 'centre',"),
    rule(
        "expression.type",
        "Deux choses qui ne se comparent pas",
        "Two things that cannot be compared",
        "when: form.danger && form.width > '100',",
    )
    .cause(
        "Un nombre et un texte, une date et un oui ou non n’ont rien en commun.",
        "A number and a text, a date and a yes or no have nothing in common.",
    )
    .remedy("Comparez des valeurs du même genre.", "Compare values of one kind."),
    page_of("expression.option", "Une réponse que personne ne peut donner", "An answer that nobody can give")
        .cause(
            "Le champ n’a pas cette option : la règle ne tiendrait jamais.",
            "The field has no such option: the rule would never hold.",
        )
        .remedy("Prenez une des valeurs indiquées.", "Take one of the values listed.")
        .example(TROU, "when: form.cause == 'frost'", "when: form.cause == 'frots'")
        .certain(),
    rule(
        "expression.date",
        "Une date ou une heure mal écrite",
        "A day or a time badly written",
        "when: form.seen < '1/5/2026',",
    )
    .cause("Les dates se comparent comme elles s’écrivent.", "Days are compared as they are written.")
    .remedy("Écrivez '2026-05-01', ou '16:50'.", "Write '2026-05-01', or '16:50'.")
    .rather("when: form.seen < '2026-05-01',"),
    rule("expression.null", "`null` dans une règle", "`null` in a rule", "when: form.details == null,")
        .cause(
            "Un champ qui n’a pas été donné vaut false, '', 0 ou une liste vide, jamais `null`.",
            "A field that was not given is false, '', 0 or an empty list, never `null`.",
        )
        .remedy("Comparez-le à cette valeur.", "Compare it with that value.")
        .rather("when: form.details == '',"),
    rule("expression.has", "`has` dans une règle", "`has` in a rule", "when: has(form.details),")
        .cause(
            "Tous les champs sont toujours là ; celui qui n’a pas été donné est vide.",
            "All fields are always there; one that was not given is empty.",
        )
        .remedy("Comparez le champ à la valeur vide.", "Compare the field with the empty value.")
        .rather("when: form.details != '',"),
    rule(
        "expression.not_boolean",
        "Une règle qui n’est ni oui ni non",
        "A rule that is neither yes nor no",
        "when: form.width,",
    )
    .cause("Une règle tient ou ne tient pas.", "A rule holds or does not hold.")
    .remedy("Comparez la valeur à quelque chose.", "Compare the value with something.")
    .rather("when: form.width > 100,"),
    rule(
        "expression.not_here",
        "Cela n’a pas d’emploi dans une règle",
        "This has no use in a rule",
        "when: \"{'a': 1}.size() > 0\",",
    )
    .cause(
        "Les règles comparent des réponses ; ensembles, durées et instants n’y ont pas leur place.",
        "Rules compare answers; maps, durations and instants have no place in them.",
    )
    .remedy("Exprimez la règle avec les champs.", "Say the rule with fields.")
    .rather(RULE),
    rule(
        "expression.personal",
        "Une donnée personnelle dans une règle",
        "Personal data in a rule",
        "when: form.witness == 'Dupont',",
    )
    .cause(
        "On ne traite pas une demande selon l’identité de quelqu’un, et ces données sont scellées.",
        "Requests are not treated by who somebody is, and such data is sealed.",
    )
    .remedy(
        "Demandez ce dont la règle a besoin dans un champ qui n’identifie personne.",
        "Ask for what the rule needs in a field that identifies nobody.",
    )
    .rather(RULE),
    rule(
        "expression.too_early",
        "Ce n’est pas encore connu",
        "This is not known yet",
        "when: request.service == 'voirie',",
    )
    .cause(
        "La règle est évaluée avant que cette valeur soit décidée.",
        "The rule is looked at before this value is decided.",
    )
    .remedy(
        "Employez ce qui est connu à ce moment : le formulaire, le canal.",
        "Use what is known by then: the form, the channel.",
    )
    .rather("when: request.channel == 'phone',"),
    rule(
        "expression.shadow",
        "Un nom qui en cache un autre",
        "A name that hides another",
        "when: \"[1, 2].exists(form, form == 2)\",",
    )
    .cause(
        "Le nom donné aux éléments d’une liste cache celui d’un ensemble.",
        "The name given to the items of a list hides that of a group.",
    )
    .remedy("Prenez un autre nom.", "Take another name.")
    .rather("when: \"[1, 2].exists(n, n == form.width)\","),
    rule(
        "expression.division",
        "Une division par ce qui peut être zéro",
        "A division by what may be zero",
        "when: 100 / form.width > 2,",
    )
    .cause(
        "On ne divise que par un nombre écrit dans la règle, autre que 0.",
        "Division is only by a number written in the rule, other than 0.",
    )
    .remedy("Multipliez plutôt.", "Multiply instead.")
    .rather("when: 100 > 2 * form.width,"),
    rule(
        "expression.pattern",
        "Un modèle de texte incorrect",
        "A pattern that is no pattern",
        "when: \"form.details.matches('[')\",",
    )
    .cause("Ce n’est pas une expression régulière.", "This is not a regular expression.")
    .remedy(
        "Préférez `contains`, `startsWith`, `endsWith`.",
        "Rather use `contains`, `startsWith`, `endsWith`.",
    )
    .rather("when: form.details.contains('danger'),"),
    rule(
        "expression.too_long",
        "Une règle trop longue",
        "A rule that is too long",
        "when: form.width in [1, 2, 3, …],",
    )
    .cause(
        "Une règle a au plus 1 000 octets et 200 éléments : au-delà, personne ne la relit.",
        "A rule has at most 1 kB and 200 elements: beyond that nobody reads it again.",
    )
    .remedy("Partagez-la en plusieurs.", "Split it.")
    .rather(RULE),
    rule(
        "expression.too_deep",
        "Une règle trop imbriquée",
        "A rule nested too deeply",
        "when: ((((((((…form.danger…)))))))),",
    )
    .cause(
        "Une règle a au plus 64 parenthèses, et deux `exists` l’un dans l’autre.",
        "A rule has at most 64 brackets, and two `exists` in one another.",
    )
    .remedy("Retirez des parenthèses, ou partagez la règle.", "Leave brackets out, or split the rule.")
    .rather(RULE),
    rule(
        "expression.too_costly",
        "Une règle trop longue à évaluer",
        "A rule that takes too long",
        "when: \"…all(a, …all(b, …))\",",
    )
    .cause(
        "Des listes parcourues l’une dans l’autre feraient des milliers de pas à chaque demande.",
        "Lists gone through inside one another would take thousands of steps for each request.",
    )
    .remedy("Bornez les listes (`at_most`), ou simplifiez.", "Bound the lists (`at_most`), or simplify.")
    .rather(RULE),
];
