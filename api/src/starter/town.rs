//! A small town's first catalogue.

use guichet_engine::rules::language::SourceFile;

use super::quoted;

/// What is known of a town that has no catalogue yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Town {
    /// Its id: lower-case letters and digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Postal address of the town hall.
    pub address: String,
    /// Its telephone.
    pub phone: String,
    /// Its e-mail address.
    pub email: String,
}

const FILES: [(&str, &str); 7] = [
    ("catalogue.yaml", include_str!("town/catalogue.yaml")),
    ("organisation.yaml", include_str!("town/organisation.yaml")),
    ("calendars/mairie.yaml", include_str!("town/calendars/mairie.yaml")),
    ("messages/accuse-reception.yaml", include_str!("town/messages/accuse-reception.yaml")),
    ("messages/demande-de-pieces.yaml", include_str!("town/messages/demande-de-pieces.yaml")),
    ("messages/reponse.yaml", include_str!("town/messages/reponse.yaml")),
    ("models/commun.yaml", include_str!("town/models/commun.yaml")),
];

/// The files of the catalogue, each with its path in the catalogue's folder.
#[must_use]
pub fn write_catalogue(town: &Town) -> Vec<SourceFile> {
    let inner = |text: &str| {
        let whole = quoted(text);
        whole.get(1..whole.len() - 1).unwrap_or_default().to_owned()
    };
    let values = [
        ("{catalogue}", town.id.clone()),
        ("{tenant}", town.id.clone()),
        ("{town}", inner(&town.name)),
        ("{address}", inner(&town.address)),
        ("{phone}", inner(&town.phone)),
        ("{email}", inner(&town.email)),
    ];
    let file = |(path, template): (&str, &str)| {
        // Messages have placeholders of their own, which are filled in when they are sent.
        let own = !path.starts_with("messages/");
        let text = values
            .iter()
            .filter(|_| own)
            .fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
        SourceFile { path: path.to_owned(), text }
    };
    FILES.into_iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use guichet_engine::rules::language::Catalogue;

    use super::*;

    #[test]
    fn the_first_catalogue_has_no_error_whatever_the_town_is_called() {
        for name in ["Sainte-Menehould", "L’Épine \"la belle\" \\ {email}", "x: [y"] {
            let town = Town {
                id: "epine".into(),
                name: name.into(),
                address: "1 place de l’Église\n51460 L’Épine".into(),
                phone: "03 53 01 51 00".into(),
                email: "mairie@epine.example".into(),
            };
            let loaded = Catalogue::load(write_catalogue(&town));
            let errors: Vec<_> = loaded.diagnostics.iter().filter(|d| d.code != "catalogue.unused").collect();
            assert!(errors.is_empty() && loaded.catalogue.is_some(), "{errors:#?}");
        }
    }
}
