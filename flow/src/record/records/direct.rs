//! Values that a column takes as they are, and how it forgets them.
//!
//! Nearly all values of a stream are of their column's own type. Their way is short enough to be inlined into a
//! decoder; whatever must be converted or refused goes the long way, through the `push_…` of [`Column`].

use crate::record::records::column::{Column, Data};
use crate::record::schema::TimeForm;

impl Column {
    /// Forgets all rows and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.validity.clear();
        match &mut self.data {
            // The types that nearly all columns are of, without the detour.
            Data::Float64(values) => values.clear(),
            Data::Int64(values) | Data::Time(values, ..) => values.clear(),
            Data::Text { offsets, text } => {
                offsets.truncate(1);
                text.clear();
            }
            _ => self.truncate_data(0),
        }
    }

    /// Takes a number into an `int64` or `timestamp` column. `false` where it must go the long way.
    #[inline]
    pub(super) fn take_i64(&mut self, value: i64) -> bool {
        let (Data::Int64(values) | Data::Time(values, _, TimeForm::Number)) = &mut self.data else {
            return false;
        };
        values.push(value);
        self.close_row();
        true
    }

    /// Takes a number into an `int64` or `timestamp` column. `false` where it must go the long way.
    #[inline]
    pub(super) fn take_u64(&mut self, value: u64) -> bool {
        i64::try_from(value).is_ok_and(|value| self.take_i64(value))
    }

    /// Takes a number into a `float64` column. `false` where it must go the long way.
    #[inline]
    pub(super) fn take_f64(&mut self, value: f64) -> bool {
        let Data::Float64(values) = &mut self.data else { return false };
        values.push(value);
        self.close_row();
        true
    }

    /// Takes text into a `string` column. `false` where it must go the long way.
    #[inline]
    pub(super) fn take_str(&mut self, value: &str) -> bool {
        let Data::Text { offsets, text } = &mut self.data else { return false };
        let Ok(end) = i32::try_from(text.len() + value.len()) else { return false };
        text.push_str(value);
        offsets.push(end);
        self.close_row();
        true
    }
}
