//! The figures as a table and as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::Failure;
use crate::job::Way;
use crate::job::input::{Input, Supply};
use crate::measure::report::{self, Figure};

/// The figures of one way of doing the job.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) way: Way,
    /// A record. `None` where there is no valgrind.
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: Option<f64>,
    /// The median over all rounds.
    pub(crate) nanoseconds: f64,
    /// The median of the ratios to by hand within each round.
    pub(crate) time_ratio: f64,
}

/// All ways of one job; the first is by hand.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) input: Input,
    pub(crate) batch: usize,
    pub(crate) rows: Vec<Row>,
}

impl Group {
    fn instruction_ratio(&self, row: &Row) -> Option<f64> {
        Some(row.instructions? / self.rows[0].instructions?)
    }

    fn row(&self, way: Way) -> Option<&Row> {
        self.rows.iter().find(|row| row.way == way)
    }

    fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "way": row.way.as_str(),
                "instructions_per_record": row.instructions,
                "instructions_to_hand": self.instruction_ratio(row),
                "allocations_per_record": row.allocations,
                "nanoseconds_per_record": row.nanoseconds,
                "records_per_second": 1e9 / row.nanoseconds,
                "time_to_hand": row.time_ratio,
            })
        };
        json!({
            "input": self.input.as_str(),
            "bytes_per_record": mean_bytes(self.input),
            "batch": self.batch,
            "ways": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn mean_bytes(input: Input) -> usize {
    Supply::new(input, 0).mean_bytes()
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, batch, .. } = self;
        writeln!(f, "{input}, {} bytes a record, batches of {batch}", mean_bytes(*input))?;
        writeln!(
            f,
            "  {:<15}{:>14}{:>8}{:>15}{:>11}{:>8}{:>12}",
            "", "instr/record", "x hand", "allocs/record", "ns/record", "x hand", "records/s"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "  {:<15}{:>14}{:>8}{:>15}{:>11.0}{:>8.3}{:>12.0}",
                row.way.as_str(),
                Figure(row.instructions, 0),
                Figure(self.instruction_ratio(row), 3),
                Figure(row.allocations, 3),
                row.nanoseconds,
                row.time_ratio,
                1e9 / row.nanoseconds,
            )?;
        }
        writeln!(f)
    }
}

/// Prints what batches of one cost against full ones, and writes everything to `target/flow-benches/zero_cost.json`.
pub(crate) fn finish(groups: &[Group]) -> Result<(), Failure> {
    for full in groups.iter().filter(|group| group.batch > 1) {
        let input = full.input;
        let single = groups.iter().find(|group| group.input == input && group.batch == 1);
        for (full, single) in full.rows.iter().filter_map(|row| Some((row, single?.row(row.way)?))) {
            if let (Some(full_cost), Some(single_cost)) = (full.instructions, single.instructions) {
                println!(
                    "{input}, {}: a batch of one costs {:.2} x",
                    full.way.as_str(),
                    single_cost / full_cost
                );
            }
        }
    }
    if groups.iter().flat_map(|group| &group.rows).any(|row| row.instructions.is_none()) {
        println!("no instructions and allocations: they are counted by `valgrind`, which is not installed");
    }
    let groups: Vec<_> = groups.iter().map(Group::json).collect();
    report::write("zero_cost", &json!(groups))
}
