use crate::component::{BuildContext, Component};
use crate::error::Error;
use crate::record::schema::{Field, Schema, Type};
use crate::transform::contract::RecordTransform;
use crate::transform::select::{Select, SelectConfig};

fn select(columns: &[&str]) -> Result<Select, Error> {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    Select::build(SelectConfig { columns }, &BuildContext::default())
}

#[test]
fn what_is_picked_is_the_output() {
    let input = Schema::new(vec![Field::new("a", Type::Int8), Field::new("b", Type::Bool)]);
    let output = select(&["b"]).unwrap().bind(&input).unwrap();
    assert_eq!(output, Schema::new(vec![Field::new("b", Type::Bool)]));
    let error = select(&["b", "c"]).unwrap().bind(&input).unwrap_err();
    assert_eq!(error.key(), Some("columns"));
    assert_eq!(error.message(), "there is no column `c`; did you mean `a`? (known: `a`, `b`)");
}

#[test]
fn nothing_and_twice_are_errors() {
    assert_eq!(select(&[]).unwrap_err().message(), "name at least one column");
    assert_eq!(select(&["a", "a"]).unwrap_err().message(), "the column `a` is named twice");
}
