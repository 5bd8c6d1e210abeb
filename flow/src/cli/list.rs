//! `list`: what this program can do.

use serde_json::json;

use crate::component::role::Kind;
use crate::registry::ComponentInfo;

/// A table, or a JSON array with the same columns.
pub(super) fn render(components: &[ComponentInfo<'_>], json: bool) -> String {
    let sorted = Kind::ALL.iter().flat_map(|role| components.iter().filter(|info| info.role == *role));
    if json {
        let rows: Vec<_> = sorted
            .map(|info| {
                let mut row = json!({
                    "role": info.role.as_str(),
                    "id": info.id,
                    "crate": info.crate_name(),
                    "description": info.description,
                });
                if let Some(library) = info.library() {
                    row["library"] = json!(library.to_string_lossy());
                }
                row
            })
            .collect();
        return format!("{:#}\n", json!(rows));
    }
    let header = ["role", "id", "crate", "description"];
    let rows: Vec<[&str; 4]> = std::iter::once(header)
        .chain(sorted.map(|info| [info.role.as_str(), info.id, info.crate_name(), info.description]))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut table = String::new();
    for [role, id, origin, description] in rows {
        let line = format!("{role:0$}  {id:1$}  {origin:2$}  {description}", widths[0], widths[1], widths[2]);
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}
