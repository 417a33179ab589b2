//! Who may do what. A route names one [`Scope`]; whoever calls it is a [`Principal`], or nobody; what a principal may do
//! follows from what it is, from its key and from the organisation. What nothing allows is refused.

mod accesses;
mod allows;
pub mod keys;
mod parties;
mod principal;
mod scope;

pub use accesses::Accesses;
pub use allows::{Claim, Denial, Ground, KeyScopes, Verdict, allows};
pub use parties::{PartyFault, RoleRules};
pub use principal::Principal;
pub use scope::Scope;
