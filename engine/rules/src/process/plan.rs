//! A definition made ready to run: every rule compiled once, every calendar built once, shared by `Arc`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::definition::{Definition, DefinitionHash, Price, Rule};
use crate::calendar::Calendar;
use crate::language::expression::{Environment, on_long_stack};
use crate::language::{Expression, facts};

/// The values that rules read. Personal fields are never among them.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    /// `request.…`
    pub request: Map<String, Value>,
    /// `form.…`; fields that were not given are left out and read as the zero of their type.
    pub form: Map<String, Value>,
    /// `tasks.<task>.…`
    pub tasks: Map<String, Value>,
    /// `requester.…`
    pub requester: Map<String, Value>,
}

/// A compiled process.
#[derive(Debug)]
pub struct Plan {
    definition: Arc<Definition>,
    hash: DefinitionHash,
    calendars: BTreeMap<String, Calendar>,
    expressions: HashMap<String, Expression>,
}

/// Why a definition cannot run, or a rule could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A calendar cannot be built.
    #[error("calendar `{calendar}`: {reason}")]
    Calendar {
        /// Its name.
        calendar: String,
        /// What is wrong.
        reason: String,
    },
    /// A rule does not compile.
    #[error("rule `{rule}`: {reason}")]
    Rule {
        /// Its text.
        rule: String,
        /// What is wrong.
        reason: String,
    },
    /// No rule of a list holds, which the checker should have refused.
    #[error("no rule holds and there is no last resort")]
    NoRuleHolds,
    /// The definition cannot be hashed.
    #[error("the definition cannot be written: {0}")]
    Hash(String),
}

impl Plan {
    /// Compiles every rule and builds every calendar, each once.
    ///
    /// # Errors
    /// The first calendar or rule that cannot be used, which the checker would have refused.
    pub fn compile(definition: Arc<Definition>) -> Result<Self, PlanError> {
        let hash = definition.hash().map_err(|error| PlanError::Hash(error.to_string()))?;
        let mut calendars = BTreeMap::new();
        for (name, sheet) in &definition.calendars {
            let calendar = Calendar::compile(sheet)
                .map_err(|error| PlanError::Calendar { calendar: name.clone(), reason: error.to_string() })?;
            calendars.insert(name.clone(), calendar);
        }
        // Whatever the stage, the last one's names are all that a rule could ever have used; what a later release
        // refuses in a rule must not stop an earlier one's definition from running.
        let environment = facts::environment(&definition, &facts::Vocabulary::default(), facts::Stage::Later);
        let expressions = on_long_stack(|| compile_rules(&definition, &environment))?;
        Ok(Self { definition, hash, calendars, expressions })
    }

    /// The compiled form of `expression`, if it is one of the definition's.
    #[must_use]
    pub fn expression(&self, expression: &str) -> Option<&Expression> {
        self.expressions.get(expression)
    }

    /// The definition that it was made from.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The same, shared.
    #[must_use]
    pub fn shared_definition(&self) -> Arc<Definition> {
        Arc::clone(&self.definition)
    }

    /// The version.
    #[must_use]
    pub fn hash(&self) -> &DefinitionHash {
        &self.hash
    }

    /// A calendar of the definition.
    #[must_use]
    pub fn calendar(&self, name: &str) -> Option<&Calendar> {
        self.calendars.get(name)
    }

    /// Whether `expression`, one of the definition's, holds.
    ///
    /// # Errors
    /// [`PlanError::Rule`] when it is not one of the definition's or cannot be evaluated.
    pub fn holds(&self, expression: &str, bindings: &Bindings) -> Result<bool, PlanError> {
        let fault = |reason: String| PlanError::Rule { rule: expression.into(), reason };
        let compiled = self.expressions.get(expression).ok_or_else(|| fault("not compiled".into()))?;
        compiled.holds(bindings).map_err(|error| fault(error.to_string()))
    }

    /// What a price comes to, in cents; nothing, or less, where it is not to be paid.
    ///
    /// # Errors
    /// [`PlanError::Rule`] when its expression is not one of the definition's or cannot be evaluated.
    pub fn cents(&self, price: &Price, bindings: &Bindings) -> Result<i64, PlanError> {
        let text = match price {
            Price::Cents(cents) => return Ok(i64::try_from(*cents).unwrap_or(i64::MAX)),
            Price::Expression(text) => text,
        };
        let fault = |reason: String| PlanError::Rule { rule: text.clone(), reason };
        let compiled = self.expressions.get(text).ok_or_else(|| fault("not compiled".into()))?;
        compiled.cents(bindings).map_err(|error| fault(error.to_string()))
    }

    /// The first rule that holds, with its index.
    ///
    /// # Errors
    /// [`PlanError::Rule`] when one cannot be evaluated, [`PlanError::NoRuleHolds`] when none holds.
    pub fn first<'rules, T>(
        &self,
        rules: &'rules [Rule<T>],
        bindings: &Bindings,
    ) -> Result<(usize, &'rules T), PlanError> {
        for (index, rule) in rules.iter().enumerate() {
            let holds = match &rule.when {
                Some(expression) => self.holds(expression, bindings)?,
                None => true,
            };
            if holds {
                return Ok((index, &rule.is));
            }
        }
        Err(PlanError::NoRuleHolds)
    }
}

fn compile_rules(
    definition: &Definition,
    environment: &Environment,
) -> Result<HashMap<String, Expression>, PlanError> {
    let mut expressions = HashMap::new();
    for rule in facts::rules_of(definition) {
        if expressions.contains_key(rule.text) {
            continue;
        }
        let compiled = Expression::compile(rule.text, environment).map_err(|findings| PlanError::Rule {
            rule: rule.text.to_owned(),
            reason: findings.into_iter().next().map(|f| f.message.en).unwrap_or_default(),
        })?;
        expressions.insert(rule.text.to_owned(), compiled);
    }
    for price in facts::prices_of(definition) {
        let compiled = Expression::compile_cents(price.text, environment).map_err(|findings| {
            let reason = findings.into_iter().next().map(|f| f.message.en).unwrap_or_default();
            PlanError::Rule { rule: price.text.to_owned(), reason }
        })?;
        expressions.insert(price.text.to_owned(), compiled);
    }
    Ok(expressions)
}
