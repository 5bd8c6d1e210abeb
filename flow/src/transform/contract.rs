//! The contract of transforms.

use std::sync::Arc;

use crate::error::Error;
use crate::record::records::Records;
use crate::record::schema::Schema;

/// Changes columnar records: drops rows, picks and renames columns, computes new ones.
///
/// # Life cycle
/// `build` → [`bind`](RecordTransform::bind) once → [`apply`](RecordTransform::apply) for each batch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` fills the role of a transform but is no `RecordTransform`",
    label = "this component's role trait is missing",
    note = "implement `flow::RecordTransform` for `{Self}`, or change its `type Role`"
)]
pub trait RecordTransform: Send + 'static {
    /// Learns the schema that goes in and says which one comes out. Runs at start-up, in `flow check` too.
    ///
    /// # Errors
    /// [`Error::config`] where a key of the transform names a column that `input` does not have, or one of the wrong type.
    fn bind(&mut self, input: &Arc<Schema>) -> Result<Arc<Schema>, Error>;

    /// Changes one batch in place. What comes out has the schema that `bind` returned.
    ///
    /// Rows that are dropped count as filtered; a row that cannot be transformed goes to
    /// [`Records::reject_row`].
    fn apply(&mut self, records: &mut Records);
}
