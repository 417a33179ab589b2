//! Schemas that the types of the rooms below give of themselves. The OpenAPI document speaks JSON Schema (2020-12), so
//! they are taken over as they are; a route names one as it names any type of its own.

use std::borrow::Cow;

use guichet_engine::rules::process::{Channel, Complexity, Kind, Priority};
use guichet_engine::rules::request::{ClockStatus, Command};
use guichet_engine::rules::text::Text;
use guichet_projections::{
    Answer, Card, CardOrder, CatalogueEntry, ChangeEntry, InboxItem, Page, TimelineEntry,
};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::routes::catalogue::Offered;
use super::routes::changes::Told;
use super::routes::follow::ACTIONS;
use super::routes::proposals::Versions;
use super::routes::receive::Incoming;
use crate::dashboard::Dashboard;
use crate::dossier::Dossier;
use crate::explanation::Explained;

macro_rules! adopted {
    ($( $(#[$doc:meta])* $way:ident $name:ident as $wire:literal = $of:ty, )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    Ref::from_schema_name($wire).into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    $wire.into()
                }
            }
        )*

        /// All of them, each with those that it refers to.
        pub(super) fn adopted() -> Map<String, Value> {
            let mut schemas = Map::new();
            $( adopt(&mut schemas, $wire, $way::<$of>()); )*
            adopt(&mut schemas, "Command", commands(|name| name != "receive"));
            adopt(&mut schemas, "RequesterCommand", commands(|name| ACTIONS.contains(&name)));
            schemas
        }
    };
}

adopted! {
    /// A page of requests.
    answered CardsAnswer as "Cards" = Answer<Page<Card>>,
    /// What there is to do.
    answered InboxAnswer as "Inbox" = Answer<Vec<InboxItem>>,
    /// The history of a request.
    answered TimelineAnswer as "Timeline" = Answer<Vec<TimelineEntry>>,
    /// Processes.
    answered CatalogueAnswer as "Catalogue" = Answer<Vec<CatalogueEntry>>,
    /// A process with its form.
    answered ProcessAnswer as "Process" = Offered<'static>,
    /// Why a request stands as it does.
    answered ExplanationAnswer as "Explained" = Explained,
    /// The figures of a collectivity.
    answered DashboardAnswer as "Dashboard" = Dashboard,
    /// The history of a process.
    answered VersionsAnswer as "Versions" = Versions,
    /// What was said in a request.
    answered DossierAnswer as "Dossier" = Dossier,
    /// The same words in French and in English.
    answered Words as "Text" = Text,
    /// Where a promise stands.
    answered PromiseStatus as "ClockStatus" = ClockStatus,
    /// Something that happened to a request.
    answered ChangeBody as "Change" = ChangeEntry,
    /// A change of a request as its requester hears of it.
    answered FollowedChange as "FollowedChange" = Told,
    /// The way a request came in.
    heard ChannelWord as "Channel" = Channel,
    /// What kind of request it is.
    heard KindWord as "Kind" = Kind,
    /// How soon it should be taken up.
    heard PriorityWord as "Priority" = Priority,
    /// How much study it needs.
    heard ComplexityWord as "Complexity" = Complexity,
    /// In which order cards come.
    heard CardOrderWord as "CardOrder" = CardOrder,
    /// A request as it is received.
    heard IncomingBody as "Incoming" = Incoming,
}

macro_rules! parts {
    ($( $(#[$doc:meta])* $name:ident as $wire:literal, )*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Ref::from_schema_name($wire).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                $wire.into()
            }
        }
    )* };
}

parts! {
    /// What agents and programs may ask of a request that exists: every command but `receive`.
    CommandBody as "Command",
    /// What a requester may ask.
    RequesterCommand as "RequesterCommand",
}

/// As it is written into answers.
fn answered<T: JsonSchema>() -> Value {
    of::<T>(SchemaSettings::draft2020_12().for_serialize())
}

/// As it is read from bodies.
fn heard<T: JsonSchema>() -> Value {
    of::<T>(SchemaSettings::draft2020_12())
}

fn of<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The commands whose names fit.
fn commands(fits: impl Fn(&str) -> bool) -> Value {
    let mut schema = heard::<Command>();
    if let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        variants.retain(|variant| {
            variant.pointer("/properties/command/const").and_then(Value::as_str).is_some_and(&fits)
        });
    }
    schema
}

/// Takes a schema in, with those that it refers to; only the places of the references change.
fn adopt(schemas: &mut Map<String, Value>, name: &str, mut schema: Value) {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
        if let Some(Value::Object(parts)) = object.remove("$defs") {
            for (part, mut value) in parts {
                move_references(&mut value);
                schemas.insert(part, value);
            }
        }
    }
    move_references(&mut schema);
    schemas.insert(name.to_owned(), schema);
}

fn move_references(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(text) if key == "$ref" => {
                        *text = text.replace("#/$defs/", "#/components/schemas/");
                    }
                    other => move_references(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
