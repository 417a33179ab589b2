//! What people write, in French as at Châlons.

use guichet_engine::rules::process::Kind;

use super::dice::Dice;

/// What a requester writes in a free field.
pub(super) fn asked(dice: &mut Dice, kind: Kind) -> String {
    let list: &[&str] = match kind {
        Kind::Question => &[
            "Quels sont les horaires d’ouverture pendant le pont de l’Ascension ?",
            "À qui dois-je m’adresser pour obtenir une attestation d’accueil ?",
            "Le marché du samedi a-t-il lieu le 8 mai ?",
            "Comment inscrire mon enfant à la cantine en cours d’année ?",
            "Où puis-je déposer un dossier de subvention pour mon association ?",
            "Ma rue sera-t-elle concernée par les travaux d’assainissement ?",
        ],
        Kind::Report => &[
            "Le problème dure depuis plusieurs jours, merci d’intervenir.",
            "Dangereux pour les piétons, surtout les enfants qui vont à l’école.",
            "Déjà signalé par un voisin la semaine dernière.",
            "Constaté ce matin en allant au travail.",
        ],
        Kind::Application => &[
            "Vous trouverez les pièces demandées en pièce jointe.",
            "Je reste disponible pour tout complément.",
            "Merci de me prévenir s’il manque un document.",
        ],
        Kind::Complaint => &[
            "Je ne comprends pas le montant qui m’est réclamé.",
            "C’est la troisième fois que je vous écris à ce sujet.",
            "Le bruit recommence chaque soir après vingt-deux heures.",
        ],
        Kind::Idea => &[
            "Planter des arbres le long du quai pour donner de l’ombre l’été.",
            "Ouvrir la médiathèque le dimanche après-midi.",
            "Installer des arceaux à vélos devant les écoles.",
        ],
        Kind::Internal => &["Mise à jour de la fiche après la réunion des référents."],
    };
    dice.pick(list).copied().unwrap_or_default().to_owned()
}

/// What an agent answers.
pub(super) fn answered(dice: &mut Dice, kind: Kind) -> String {
    let list: &[&str] = match kind {
        Kind::Question => &[
            "La mairie est ouverte du lundi au vendredi de 9 h à 17 h ; elle est fermée les jours fériés.",
            "Le service compétent est l’état civil, au rez-de-chaussée de l’hôtel de ville.",
            "L’information se trouve sur le site de la ville, à la rubrique des démarches.",
        ],
        Kind::Report => &[
            "L’intervention a été faite ; n’hésitez pas à nous signaler tout nouveau désordre.",
            "Le nécessaire a été fait par nos équipes. Merci de votre vigilance.",
        ],
        Kind::Application => &[
            "Votre dossier a été examiné et reçoit une suite favorable.",
            "Votre demande est acceptée ; le document correspondant est joint.",
            "Après examen, votre demande n’a pu être retenue ; les voies de recours sont indiquées ci-dessous.",
        ],
        Kind::Complaint => &[
            "Après vérification, votre réclamation est fondée et la correction a été faite.",
            "Après vérification, le montant est exact ; le détail du calcul est joint.",
        ],
        Kind::Idea => &["Votre idée sera présentée au prochain conseil de quartier."],
        Kind::Internal => &["La fiche de procédure est à jour."],
    };
    dice.pick(list).copied().unwrap_or_default().to_owned()
}

/// What an agent reports of a task.
pub(super) fn reported(dice: &mut Dice) -> String {
    const LIST: [&str; 6] = [
        "Constaté sur place, intervention faite.",
        "Zone balisée, réparation faite dans la journée.",
        "Dossier complet, pièces conformes.",
        "Visite faite en présence du demandeur.",
        "Rien à signaler.",
        "Remise en état terminée.",
    ];
    dice.pick(&LIST).copied().unwrap_or_default().to_owned()
}
