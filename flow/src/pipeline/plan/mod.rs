//! What a pipeline file means: every id resolved, every config read, every schema checked, or all problems at once.

mod keys;
mod resolve;

use std::sync::Arc;

use crate::codec::CollectionEncoder;
use crate::component::Claims;
use crate::component::role::Kind;
use crate::connector::SinkConnector;
use crate::pipeline::dead_letter;
use crate::pipeline::plan::resolve::Resolver;
use crate::pipeline::problem::{Problem, Problems};
use crate::pipeline::spec::{self, Batch, Node, Spec};
use crate::record::{Schema, Template};
use crate::registry::{Registry, Runtime, Step};
use crate::transform::RecordTransform;

/// Which door the records of a pipeline take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Columnar: every source needs a schema.
    Columnar,
    /// Still open: schemas and transforms are checked where they stand in the file.
    Any,
}

/// A pipeline that is ready to open its connectors.
pub(crate) struct Plan<R: Registry> {
    pub(crate) name: String,
    pub(crate) inlets: Vec<InletPlan<R>>,
    pub(crate) outlets: Vec<OutletPlan<R>>,
    pub(crate) policy: Policy<R>,
    pub(crate) batch: Batch,
    pub(crate) secrets: Vec<(String, String)>,
    /// What is wrong only where records are columns: a typed pipeline has fields of its own.
    of_columns: Vec<Problem>,
    spec: Spec,
}

pub(crate) struct InletPlan<R: Registry> {
    pub(crate) label: String,
    pub(crate) source: R::Source,
    pub(crate) decoder: R::Decoder,
    pub(crate) columns: Option<Columns<R>>,
}

/// The columnar half of an inlet.
pub(crate) struct Columns<R: Registry> {
    pub(crate) schema: Arc<Schema>,
    pub(crate) transforms: Vec<R::Transform>,
}

pub(crate) struct OutletPlan<R: Registry> {
    pub(crate) label: String,
    pub(crate) sink: R::Sink,
    pub(crate) encoder: R::Encoder,
}

pub(crate) enum Policy<R: Registry> {
    Fail,
    Skip,
    DeadLetter(OutletPlan<R>),
}

impl<R: Registry> Plan<R> {
    /// Builds every component of `spec`. Nothing connects.
    pub(crate) fn new(
        mut spec: Spec,
        door: Door,
        claims: Claims,
        runtime: &Runtime,
    ) -> Result<Self, Problems> {
        const { R::UNIQUE };
        let mut problems = std::mem::take(&mut spec.problems);
        if !runtime.is_of::<R>() {
            let message =
                "the `Runtime` was made for another list: make it with `Runtime::of` and this pipeline's";
            problems.push(Problem { line: 0, key: String::new(), message: message.to_owned() });
        }
        let resolver = Resolver::new(&spec, runtime, claims, &mut problems);
        let mut planner = Planner { spec: &spec, door, resolver };
        let (inlets, schemas) = planner.inlets::<R>();
        let outlets: Vec<OutletPlan<R>> =
            spec.sinks.iter().filter_map(|sink| planner.outlet::<R>(sink)).collect();
        let of_columns = planner.of_columns(&outlets, &schemas);
        let policy = match &spec.on_error {
            spec::OnError::Fail => Some(Policy::Fail),
            spec::OnError::Skip => Some(Policy::Skip),
            spec::OnError::DeadLetter(sink) => planner.outlet::<R>(sink).map(|outlet| {
                planner.check(&outlet, sink, &[dead_letter::schema()]);
                Policy::DeadLetter(outlet)
            }),
        };
        // A part that is missing for no reason that was said must not be missing in silence.
        let complete =
            inlets.len() == spec.sources.len() && outlets.len() == spec.sinks.len() && policy.is_some();
        if problems.is_empty() && !complete {
            let message =
                "a source or a sink could not be built: its component did not say why, or is registered at run time and the list has no `Registered`".to_owned();
            problems.push(Problem { line: 0, key: String::new(), message });
        }
        let Some(policy) = policy.filter(|_| problems.is_empty()) else {
            return Err(Problems::new(&spec.tree.file, problems));
        };
        Ok(Self {
            name: spec.name.clone(),
            inlets,
            outlets,
            policy,
            batch: spec.batch,
            secrets: spec.tree.secrets.clone(),
            of_columns,
            spec,
        })
    }

    /// Every source has a schema whose columns the sinks can take, or the problems that say what is wrong.
    pub(crate) fn require_schemas(&self) -> Result<(), Problems> {
        let missing = self.spec.sources.iter().filter(|source| source.schema.is_none());
        let mut problems: Vec<Problem> =
            missing.map(|source| no_schema(&self.spec, &source.connector)).collect();
        problems.extend(self.of_columns.iter().cloned());
        if problems.is_empty() { Ok(()) } else { Err(Problems::new(&self.spec.tree.file, problems)) }
    }

    /// The typed door maps in Rust: transforms of the file would be passed over in silence, so they are refused.
    pub(crate) fn refuse_transforms(&self) -> Result<(), Problems> {
        let refuse = |part: &spec::Part| {
            let message =
                "transforms work on columnar records; a typed pipeline maps its own structs in Rust instead";
            self.spec.tree.problem(&part.node, part.key.clone(), message)
        };
        let problems: Vec<Problem> = self.spec.transforms.iter().map(refuse).collect();
        if problems.is_empty() { Ok(()) } else { Err(Problems::new(&self.spec.tree.file, problems)) }
    }
}

fn no_schema(spec: &Spec, part: &spec::Part) -> Problem {
    let message = "no schema: name the columns to decode in `schema`, such as `temperature = \"float64\"` \
                   (`flow infer SAMPLE` writes one from a sample)";
    spec.tree.problem(&part.node, part.key.clone(), message)
}

struct Planner<'a> {
    spec: &'a Spec,
    door: Door,
    resolver: Resolver<'a>,
}

impl Planner<'_> {
    /// The inlets that could be built, and every schema that comes out of the transforms.
    fn inlets<R: Registry>(&mut self) -> (Vec<InletPlan<R>>, Vec<Arc<Schema>>) {
        let (mut inlets, mut schemas) = (Vec::new(), Vec::new());
        for (index, source) in self.spec.sources.iter().enumerate() {
            let connector = self.resolver.component::<R::Source>(Kind::Source, &source.connector);
            let decoder = self.resolver.component::<R::Decoder>(Kind::Decoder, &source.decoder);
            let schema = match &source.schema {
                Some(node) => self.schema(node, &source.connector.key),
                None => {
                    if self.door == Door::Columnar {
                        self.resolver.problems.push(no_schema(self.spec, &source.connector));
                    }
                    None
                }
            };
            // Without a schema the transforms are still looked up once: their ids and keys may be wrong, too.
            let transforms = match (&schema, index) {
                (None, 1..) => Vec::new(),
                _ => self.transforms::<R>(),
            };
            let columns = schema.map(|schema| {
                let (transforms, out) = self.bind::<R>(transforms, &schema);
                schemas.extend(out);
                Columns { schema, transforms }
            });
            if let (Some(source_connector), Some(decoder)) = (connector, decoder) {
                let label = self.resolver.label(&source.connector);
                inlets.push(InletPlan { label, source: source_connector, decoder, columns });
            }
        }
        (inlets, schemas)
    }

    fn transforms<R: Registry>(&mut self) -> Vec<(usize, R::Transform)> {
        let parts = self.spec.transforms.iter().enumerate();
        parts
            .filter_map(|(index, part)| {
                Some((index, self.resolver.component::<R::Transform>(Kind::Transform, part)?))
            })
            .collect()
    }

    /// Runs the schema through the transforms. After the first that cannot be bound the rest is not looked at.
    fn bind<R: Registry>(
        &mut self,
        transforms: Vec<(usize, R::Transform)>,
        schema: &Arc<Schema>,
    ) -> (Vec<R::Transform>, Option<Arc<Schema>>) {
        let mut current = Arc::clone(schema);
        let mut bound = Vec::new();
        for (index, mut transform) in transforms {
            match transform.bind(&current) {
                Ok(next) => current = next,
                Err(error) => {
                    self.resolver.fault(&self.spec.transforms[index], error.key(), error.message());
                    return (bound, None);
                }
            }
            bound.push(transform);
        }
        let complete = bound.len() == self.spec.transforms.len();
        (bound, complete.then_some(current))
    }

    fn schema(&mut self, node: &Node, base: &str) -> Option<Arc<Schema>> {
        match Schema::from_value(&node.to_value(&[])) {
            Ok(schema) => Some(schema),
            Err(errors) => {
                for error in errors {
                    let path: Vec<Step> = error
                        .key()
                        .unwrap_or_default()
                        .split('.')
                        .map(|key| Step::Key(key.to_owned()))
                        .collect();
                    let key = spec::dotted(
                        &format!("{base}.schema"),
                        if error.key().is_some() { &path } else { &[] },
                    );
                    let problem = self.spec.tree.problem(node.descend(&path), key, error.message());
                    self.resolver.problems.push(problem);
                }
                None
            }
        }
    }

    fn outlet<R: Registry>(&mut self, sink: &spec::Sink) -> Option<OutletPlan<R>> {
        let connector = self.resolver.component::<R::Sink>(Kind::Sink, &sink.connector);
        let encoder = self.resolver.component::<R::Encoder>(Kind::Encoder, &sink.encoder);
        Some(OutletPlan { label: self.resolver.label(&sink.connector), sink: connector?, encoder: encoder? })
    }

    /// Checks the sinks against the schemas. Which door the records take may still be open (transforms decide it): what
    /// is wrong is then kept for the one that needs it.
    fn of_columns<R: Registry>(
        &mut self,
        outlets: &[OutletPlan<R>],
        schemas: &[Arc<Schema>],
    ) -> Vec<Problem> {
        let said = self.resolver.problems.len();
        for sink in &self.spec.sinks {
            let label = self.resolver.label(&sink.connector);
            if let Some(outlet) = outlets.iter().find(|outlet| outlet.label == label) {
                self.check(outlet, sink, schemas);
            }
        }
        match self.door {
            Door::Any if self.spec.transforms.is_empty() => self.resolver.problems.split_off(said),
            Door::Any | Door::Columnar => Vec::new(),
        }
    }

    /// Can the sink take records of these schemas? The first that it cannot is enough.
    fn check<R: Registry>(&mut self, outlet: &OutletPlan<R>, sink: &spec::Sink, schemas: &[Arc<Schema>]) {
        for schema in schemas {
            if let Err(error) = outlet.encoder.check(schema) {
                return self.resolver.fault(&sink.encoder, error.key(), error.message());
            }
            if let Some(Err(message)) = outlet.sink.route().map(|route: &Template| route.check(schema)) {
                return self.resolver.fault(&sink.connector, Some("topic"), &message);
            }
        }
    }
}
