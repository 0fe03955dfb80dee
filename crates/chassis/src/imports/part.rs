//! A file that is a part of a larger one: its rows keep the numbers that they have in the whole.

use tabular::{Fault, Table};

/// The number of the first row below the header, where a file doesn't say.
const FIRST: i64 = 2;

/// Numbers rows and faults as in the whole file, whose row `first_row` is the first one below the header here; 0 where
/// the file is whole. The header stays row 1.
pub(super) fn renumber(read: &mut Result<Table, Vec<Fault>>, first_row: i64) {
    let Ok(before) = u64::try_from(first_row - FIRST) else { return };
    let faults = match read {
        Ok(table) => {
            table.rows.iter_mut().for_each(|row| row.number += before);
            &mut table.faults
        }
        Err(faults) => faults,
    };
    faults.iter_mut().filter(|fault| fault.row > 1).for_each(|fault| fault.row += before);
}

#[cfg(test)]
mod tests {
    use tabular::{Column, Limits, read_csv};

    use super::*;

    #[test]
    fn a_fault_names_the_row_of_the_whole_file() {
        let columns = [Column { name: "code", required: true, max_chars: 3, personal: false }];
        let rows = |first_row| {
            let mut read = read_csv(b"code,other\na,1\nabcd,2\n", &columns, Limits::default());
            renumber(&mut read, first_row);
            let table = read.unwrap();
            let faults: Vec<u64> = table.faults.iter().map(|fault| fault.row).collect();
            (table.rows.iter().map(|row| row.number).collect::<Vec<_>>(), faults)
        };
        assert_eq!(rows(0), (vec![2], vec![1, 3]));
        assert_eq!(rows(2), rows(0));
        assert_eq!(rows(1_000_002), (vec![1_000_002], vec![1, 1_000_003]));
    }
}
