//! Several columns that are filled from one object: a whole record, or a struct in it.

use serde::de::MapAccess;

use crate::error::RecordError;
use crate::record::records::column::Column;
use crate::record::records::projection::Projection;
use crate::record::records::seed::refuse;
use crate::record::schema::{Field, path};

#[derive(Debug)]
pub(super) struct Struct {
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<Column>,
    pub(super) len: usize,
    /// What a missing column is called in errors: its path in the payload.
    paths: Vec<String>,
    projection: Projection,
    /// How many columns an object fills where it has them all.
    from_object: usize,
    visit: u64,
}

impl Struct {
    /// The keys of an object that lead to columns.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.projection.keys()
    }

    /// # Panics
    /// Where a path cannot be read: [`Schema::check`](crate::Schema::check) comes first.
    pub(super) fn new(fields: &[Field]) -> Self {
        let mut projection = Projection::default();
        for (index, field) in fields.iter().enumerate() {
            match path::origin(field) {
                Ok(path::Origin::Path(steps)) => projection.insert(&steps, index),
                Ok(path::Origin::Meta(_)) => {}
                Err(message) => panic!("{message}"),
            }
        }
        Self {
            names: fields.iter().map(|field| field.name.clone()).collect(),
            columns: fields.iter().map(Column::new).collect(),
            len: 0,
            paths: fields
                .iter()
                .map(|field| field.from.clone().unwrap_or_else(|| field.name.clone()))
                .collect(),
            from_object: projection.columns(),
            projection,
            visit: 0,
        }
    }

    /// Takes one object. After an error the columns are of different lengths, until [`Struct::drop_partial`].
    pub(super) fn fill<'de, A: MapAccess<'de>>(
        &mut self,
        map: A,
        fault: &mut Option<RecordError>,
    ) -> Result<(), A::Error> {
        self.visit += 1;
        if self.projection.read(map, &mut self.columns, self.visit, fault)? == self.from_object {
            self.len += 1;
            return Ok(());
        }
        self.close_row().map_err(|error| refuse(fault, error))
    }

    /// Ends a row: what nobody gave is null.
    #[inline]
    pub(super) fn close_row(&mut self) -> Result<(), RecordError> {
        let len = self.len;
        if self.columns.iter().any(|column| column.len == len) {
            self.fill_gaps()?;
        }
        self.len += 1;
        Ok(())
    }

    fn fill_gaps(&mut self) -> Result<(), RecordError> {
        for (column, path) in self.columns.iter_mut().zip(&self.paths) {
            if column.len == self.len {
                column.push_missing().map_err(|error| error.with_field(path.as_str()))?;
            }
        }
        Ok(())
    }

    pub(super) fn push_default(&mut self) {
        for column in &mut self.columns {
            column.push_default();
        }
        self.len += 1;
    }

    pub(super) fn clear(&mut self) {
        for column in &mut self.columns {
            column.clear();
        }
        self.len = 0;
    }

    pub(super) fn truncate(&mut self, len: usize) {
        for column in &mut self.columns {
            column.truncate(len);
        }
        self.len = self.len.min(len);
    }

    /// Drops what a record that failed half-way has left behind the last row.
    pub(super) fn drop_partial(&mut self) {
        for column in &mut self.columns {
            column.truncate(self.len);
            column.drop_partial();
        }
    }
}
