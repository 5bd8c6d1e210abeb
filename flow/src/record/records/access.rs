//! How transforms read records.

use crate::record::collection::Collect;
use crate::record::records::Records;
use crate::record::records::column::{Column, Data, index};
use crate::record::records::value::Value;

impl Records {
    /// How many records there are, those that were dropped left out.
    pub fn len(&self) -> usize {
        Collect::len(self)
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the record at `index` stands in the columns.
    ///
    /// # Panics
    /// Where `index` is not below [`Records::len`].
    #[inline]
    pub fn row(&self, index: usize) -> usize {
        if self.narrowed {
            self.selection[index] as usize
        } else {
            assert!(index < self.origins.len(), "there is no record {index}");
            index
        }
    }

    /// The rows of all records, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = usize> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// The value of the record at `index` in `column`, a position in [`Records::schema`].
    ///
    /// # Panics
    /// Where there is no such record or column.
    #[inline]
    pub fn value(&self, index: usize, column: usize) -> Value<'_> {
        self.column(column).value(self.row(index))
    }

    /// A column by its position in [`Records::schema`].
    ///
    /// # Panics
    /// Where there is no such column.
    #[inline]
    pub fn column(&self, column: usize) -> &Column {
        self.physical(self.output[column])
    }

    /// A column by its position among the decoded and the computed ones.
    #[inline]
    pub(super) fn physical(&self, column: usize) -> &Column {
        let decoded = &self.decoded.columns;
        decoded.get(column).unwrap_or_else(|| &self.computed[column - decoded.len()])
    }
}

impl Column {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Has it no rows?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Holds the row null?
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        !self.validity.is_empty() && !self.validity[row]
    }

    /// The numbers of all rows, where `T` is the column's type: `i64` for `int64` and timestamps, and so on.
    /// Rows that hold null have some number.
    #[inline]
    pub fn values<T: Native>(&self) -> Option<&[T]> {
        T::of(self)
    }

    /// The value of one row.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline]
    pub fn value(&self, row: usize) -> Value<'_> {
        if self.is_null(row) {
            return Value::Null;
        }
        match &self.data {
            Data::Bool(values) => Value::Bool(values[row]),
            Data::Int8(values) => values[row].into(),
            Data::Int16(values) => values[row].into(),
            Data::Int32(values) => values[row].into(),
            Data::Int64(values) | Data::Time(values, ..) => values[row].into(),
            Data::UInt8(values) => values[row].into(),
            Data::UInt16(values) => values[row].into(),
            Data::UInt32(values) => values[row].into(),
            Data::UInt64(values) => values[row].into(),
            Data::Float32(values) => values[row].into(),
            Data::Float64(values) => values[row].into(),
            Data::Text { offsets, text } => Value::Text(&text[range(offsets, row)]),
            Data::Binary { offsets, bytes } => Value::Bytes(&bytes[range(offsets, row)]),
            Data::List { .. } | Data::Struct(_) => Value::Nested,
        }
    }

    /// The items of a list: their column, and the rows in it that belong to `row`. `None` for other types.
    pub fn list(&self, row: usize) -> Option<(&Column, std::ops::Range<usize>)> {
        match &self.data {
            Data::List { offsets, items } => Some((items, range(offsets, row))),
            _ => None,
        }
    }

    /// A field of a struct; its rows are the rows of the struct. `None` for other types and unknown names.
    pub fn field(&self, name: &str) -> Option<&Column> {
        match &self.data {
            Data::Struct(fields) => {
                fields.names.iter().position(|field| field == name).map(|at| &fields.columns[at])
            }
            _ => None,
        }
    }
}

/// The bytes or items of one row.
#[inline]
pub(super) fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    index(offsets[row])..index(offsets[row + 1])
}

/// The Rust types that columns hold as slices: `bool`, `i8` to `i64`, `u8` to `u64`, `f32`, `f64`.
pub trait Native: Copy + sealed::Sealed {
    /// The values of `column`, where they are of this type.
    fn of(column: &Column) -> Option<&[Self]>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! native {
    ($($native:ty: $($variant:ident)|+),* $(,)?) => { $(
        impl sealed::Sealed for $native {}
        impl Native for $native {
            fn of(column: &Column) -> Option<&[Self]> {
                match &column.data {
                    $(Data::$variant(values, ..))|+ => Some(values),
                    _ => None,
                }
            }
        }
    )* };
}

native! {
    bool: Bool, i8: Int8, i16: Int16, i32: Int32, i64: Int64 | Time, u8: UInt8, u16: UInt16, u32: UInt32,
    u64: UInt64, f32: Float32, f64: Float64,
}
