//! From a table that names a component to the component, or to what is wrong with the table.

use serde_json::Value;

use crate::component::role::Kind;
use crate::component::{BuildContext, Claims};
use crate::pipeline::plan::keys;
use crate::pipeline::problem::Problem;
use crate::pipeline::spec::{Part, Spec, dotted};
use crate::record::nearest::known_names;
use crate::registry::{ComponentInfo, ConfigFault, Lookup, Runtime, Step, missing_feature};

pub(super) struct Resolver<'a> {
    spec: &'a Spec,
    runtime: &'a Runtime,
    known: Vec<ComponentInfo<'a>>,
    claims: Claims,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        spec: &'a Spec,
        runtime: &'a Runtime,
        claims: Claims,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        Self { spec, runtime, known: runtime.components(), claims, problems }
    }

    /// Pipeline, place in the file and id: `hot-devices/sink[1].mqtt`.
    pub(super) fn label(&self, part: &Part) -> String {
        format!("{}/{}.{}", self.spec.name, part.key, part.id)
    }

    /// Builds the component that `part` names.
    pub(super) fn component<T: Lookup>(&mut self, role: Kind, part: &Part) -> Option<T> {
        let (mut config, said) = self.config(role, part)?;
        let context = BuildContext::new(self.label(part), self.spec.directory())
            .with_secrets(self.spec.tree.secrets.clone())
            .with_claims(self.claims.clone());
        loop {
            // An id that is known but not found: the list has no element for what is known at run time.
            let faults = match T::lookup(&part.id, &config, &context, self.runtime)? {
                Ok(component) => return (said == 0).then_some(component),
                Err(faults) => faults,
            };
            if !self.read_substituted(part, &mut config, &faults) {
                self.report(part, &faults);
                return None;
            }
        }
    }

    /// The component's config, with the number of problems that were found in its keys.
    fn config(&mut self, role: Kind, part: &Part) -> Option<(Value, usize)> {
        let Some(info) = self.known.iter().find(|info| info.role == role && info.id == part.id) else {
            let message = self.unknown_id(role, &part.id);
            let node = part.node.get(part.id_key).unwrap_or(&part.node);
            let key = format!("{}.{}", part.key, part.id_key);
            self.problems.push(self.spec.tree.problem(node, key, &message));
            return None;
        };
        let mut config = part.node.to_value(part.reserved);
        let faults = keys::check(info, part.reserved, &mut config);
        self.report(part, &faults);
        Some((config, faults.len()))
    }

    fn unknown_id(&self, role: Kind, id: &str) -> String {
        let ids: Vec<&str> = self.known.iter().filter(|info| info.role == role).map(|info| info.id).collect();
        #[cfg_attr(not(feature = "dynamic-connectors"), allow(unused_mut, reason = "only plugins add to it"))]
        let mut message = match missing_feature(role, id) {
            Some(feature) => {
                format!(
                    "unknown {role} `{id}`: this program was built without the feature `{feature}` ({})",
                    known_names(id, ids)
                )
            }
            None => format!("unknown {role} `{id}`: {}", known_names(id, ids)),
        };
        // It may be in one of these.
        #[cfg(feature = "dynamic-connectors")]
        for refusal in self.runtime.refused_plugins() {
            message.push_str(&format!("; {refusal}"));
        }
        #[cfg_attr(
            not(feature = "dynamic-connectors"),
            allow(clippy::let_and_return, reason = "more may follow")
        )]
        message
    }

    /// A fault of `part`'s config at `key`, dotted from its table.
    pub(super) fn fault(&mut self, part: &Part, key: Option<&str>, message: &str) {
        let path = key.map(|key| key.split('.').map(|key| Step::Key(key.to_owned())).collect());
        self.report(part, &[ConfigFault { path: path.unwrap_or_default(), message: message.to_owned() }]);
    }

    fn report(&mut self, part: &Part, faults: &[ConfigFault]) {
        for fault in faults {
            let node = part.node.descend(&fault.path);
            if node.unset {
                continue;
            }
            let problem = self.spec.tree.problem(node, dotted(&part.key, &fault.path), &fault.message);
            // Several places may share one table; what is wrong with it is said once.
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// A value from the environment is text. Where a number or a bool is wanted, it is read as one.
    fn read_substituted(&self, part: &Part, config: &mut Value, faults: &[ConfigFault]) -> bool {
        let mut changed = false;
        for fault in faults {
            let node = part.node.descend(&fault.path);
            let Some(text) = node.as_str().filter(|_| node.substituted && fault.message.contains("string"))
            else {
                continue;
            };
            let read: Option<Value> = serde_json::from_str(text).ok();
            if let (Some(slot), Some(read)) =
                (slot(config, &fault.path), read.filter(|v| v.is_number() || v.is_boolean()))
            {
                changed |= *slot != read;
                *slot = read;
            }
        }
        changed
    }
}

fn slot<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(*index),
    })
}
