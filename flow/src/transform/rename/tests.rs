use std::sync::Arc;

use serde_json::json;

use crate::component::{BuildContext, Component};
use crate::error::Error;
use crate::record::collection::{Collect, Collection};
use crate::record::records::Records;
use crate::record::schema::{Field, Schema, Type};
use crate::transform::contract::RecordTransform;
use crate::transform::rename::{Rename, RenameConfig};

fn rename(columns: &[(&str, &str)]) -> Result<Rename, Error> {
    let columns = columns.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect();
    Rename::build(RenameConfig { columns }, &BuildContext::default())
}

fn input() -> Arc<Schema> {
    Schema::new(vec![Field::new("alpha", Type::Int8), Field::new("beta", Type::Bool)])
}

#[test]
fn two_columns_can_change_names() {
    let mut records = Records::new(&input());
    records.collect(json!({ "alpha": 1, "beta": true })).unwrap();
    let mut rename = rename(&[("alpha", "beta"), ("beta", "alpha")]).unwrap();
    let output = rename.bind(&input()).unwrap();
    rename.apply(&mut records);
    assert_eq!(records.schema(), &output);
    let text = Collection::serialize(&records, 0, serde_json::value::Serializer).unwrap();
    assert_eq!(text, json!({ "beta": 1, "alpha": true }));
}

#[test]
fn what_cannot_be_renamed_is_named() {
    let error = |columns: &[(&str, &str)]| {
        let error = rename(columns).and_then(|mut rename| rename.bind(&input())).unwrap_err();
        (error.key().unwrap().to_owned(), error.message().to_owned())
    };
    let pair = |key: &str, message: &str| (key.to_owned(), message.to_owned());
    assert_eq!(
        error(&[("alhpa", "x")]),
        pair("columns.alhpa", "there is no column `alhpa`; did you mean `alpha`? (known: `alpha`, `beta`)")
    );
    assert_eq!(error(&[("alpha", "beta")]), pair("columns.alpha", "there would be two columns `beta`"));
    assert_eq!(error(&[("alpha", "")]), pair("columns.alpha", "the new name is empty"));
}
