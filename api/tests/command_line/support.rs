//! What the tests share: the program, the repository, small tables.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The program, in the repository, in French, without anything of the tester's environment.
pub(crate) fn guichet(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
    command.current_dir(repository()).args(arguments).stdin(Stdio::null());
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", "fr_FR.UTF-8");
    command.env("GUICHET_DATA", data);
    for variable in ["GUICHET_STORE", "GUICHET_STORE_FILE", "GUICHET_READ_MODELS"] {
        command.env_remove(variable);
    }
    command
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) fn run(data: &Path, arguments: &[&str]) -> Run {
    Run::of(&guichet(data, arguments).output().unwrap())
}

/// The map of the Parisian reports.
pub(crate) const MAP: &str = "processes/chalons/imports/dansmarue.yaml";

/// A table like that of the city of Paris, with so many rows.
pub(crate) fn reports(rows: usize) -> String {
    const KINDS: [(&str, &str); 4] = [
        ("\"Graffitis, tags, affiches et autocollants\"", "Graffitis sur rideau métallique"),
        ("Objets abandonnés", "Cartons"),
        ("Propreté", "Épanchement d'urine"),
        ("Voirie et espace public", "Chaussées : nid de poule"),
    ];
    const DOORS: [&str; 3] = ["Android", "Page DMR Paris.fr", "Back Office"];
    let mut table = String::from(
        "id_dmr,datedecl,type,soustype,adresse,code_postal,conseilquartier,prefixe,intervenant,lat,lon\n",
    );
    for row in 0..rows {
        let (kind, sub) = KINDS[row % KINDS.len()];
        let (door, day) = (DOORS[row % DOORS.len()], 1 + row % 28);
        table.push_str(&format!(
            "T{row:05},2024-02-{day:02},{kind},{sub},\"{row} rue de la Marne, 75012 PARIS\",75012,BERCY,{door},DVD,48.8{row:03},2.3\n"
        ));
    }
    table
}
