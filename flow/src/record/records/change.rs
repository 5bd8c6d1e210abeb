//! How transforms change records.

use std::sync::Arc;

use crate::error::RecordError;
use crate::record::collection::Collect;
use crate::record::records::column::Column;
use crate::record::records::value::Value;
use crate::record::records::{Records, position};
use crate::record::schema::Schema;

impl Records {
    /// Keeps the records for which `keep` holds; the others count as filtered.
    pub fn retain(&mut self, mut keep: impl FnMut(&Self, usize) -> bool) {
        let len = Collect::len(self);
        let mut left = std::mem::take(&mut self.spare_selection);
        left.clear();
        left.extend((0..len).filter(|index| keep(self, *index)).map(|index| position(self.row(index))));
        self.filtered += len - left.len();
        self.spare_selection = std::mem::replace(&mut self.selection, left);
        self.narrowed = true;
    }

    /// Takes the record at `index` out, as one that cannot go on. Those after it move up by one.
    ///
    /// # Panics
    /// Where there is no such record.
    pub fn reject_row(&mut self, index: usize, error: RecordError) {
        let row = self.row(index);
        if !self.narrowed {
            self.selection.clear();
            self.selection.extend(0..position(self.origins.len()));
            self.narrowed = true;
        }
        self.selection.remove(index);
        self.rejections.insert(self.origins[row] as usize, error, row);
    }

    /// Picks columns: the column at `columns[i]` of the schema so far becomes the column at `i` of `schema`.
    /// Nothing is copied.
    ///
    /// # Panics
    /// Where the lengths differ, or a column is not there.
    pub fn project(&mut self, schema: &Arc<Schema>, columns: &[usize]) {
        assert_eq!(schema.fields().len(), columns.len(), "a schema needs as many columns as are picked");
        let before = self.output.len();
        for column in columns {
            let column = self.output[..before][*column];
            self.output.push(column);
        }
        self.output.drain(..before);
        self.schema = Arc::clone(schema);
    }

    /// Adds a column, the last one of `schema`, and computes its value for each record. A value that `compute` does
    /// not set is null. A record for which it fails is rejected.
    ///
    /// # Panics
    /// Where `schema` has not exactly one column more than the schema so far.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use flow::Value;
    /// use flow::{Error, Field, RecordTransform, Records, Schema, Type};
    ///
    /// /// Adds `fahrenheit` to records that have `celsius`.
    /// #[derive(Default)]
    /// struct Fahrenheit {
    ///     celsius: usize,
    ///     output: Arc<Schema>,
    /// }
    ///
    /// impl RecordTransform for Fahrenheit {
    ///     fn bind(&mut self, input: &Arc<Schema>) -> Result<Arc<Schema>, Error> {
    ///         self.celsius = input.require("column", "celsius")?;
    ///         self.output = input.with("column", Field::new("fahrenheit", Type::Float64))?;
    ///         Ok(Arc::clone(&self.output))
    ///     }
    ///
    ///     fn apply(&mut self, records: &mut Records) {
    ///         let celsius = self.celsius;
    ///         records.add_column(&self.output, |records, index, cell| match records.value(index, celsius) {
    ///             Value::Float(celsius) => cell.set(celsius * 1.8 + 32.0),
    ///             _ => Ok(()),
    ///         });
    ///     }
    /// }
    /// ```
    pub fn add_column(
        &mut self,
        schema: &Arc<Schema>,
        mut compute: impl FnMut(&Self, usize, &mut Cell<'_>) -> Result<(), RecordError>,
    ) {
        assert_eq!(schema.fields().len(), self.output.len() + 1, "a schema needs one column more");
        let field = &schema.fields()[self.output.len()];
        // The column of the batch before, where it was of this type.
        let mut column = match self.spare_columns.pop() {
            Some(column) if column.kind == field.kind && column.required == field.required => column,
            _ => Column::new(field),
        };
        let mut failed = Vec::new();
        for index in 0..Collect::len(self) {
            let row = self.row(index);
            while column.len < row {
                column.push_default();
            }
            let done = compute(self, index, &mut Cell { column: &mut column, row });
            let done = done.and_then(|()| if column.len == row { column.push_missing() } else { Ok(()) });
            if let Err(error) = done {
                column.truncate(row);
                column.push_default();
                let error =
                    if error.field().is_some() { error } else { error.with_field(field.name.as_str()) };
                failed.push((index, error));
            }
        }
        while column.len < self.origins.len() {
            column.push_default();
        }
        self.output.push(self.decoded.columns.len() + self.computed.len());
        self.computed.push(column);
        self.schema = Arc::clone(schema);
        // From the end, so that the positions of the others stay.
        for (index, error) in failed.into_iter().rev() {
            self.reject_row(index, error);
        }
    }
}

/// The place of one value in a column that is being computed.
#[derive(Debug)]
pub struct Cell<'a> {
    column: &'a mut Column,
    row: usize,
}

impl Cell<'_> {
    /// Sets the value: a number, a `bool`, a `&str`, bytes, an `Option` of these, or a [`Value`]. Set twice, the
    /// later value counts. A timestamp is set as its number of units.
    ///
    /// # Errors
    /// The value is of another type than the column, or out of its range.
    pub fn set<'v>(&mut self, value: impl Into<Value<'v>>) -> Result<(), RecordError> {
        self.column.truncate(self.row);
        self.column.push_value(value.into())
    }
}
