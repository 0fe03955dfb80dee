//! A town that nobody lives in: households, and residents whose names are signs of the calendar.

use jiff::{
    ToSpan,
    civil::{Date, date},
};

/// Households of a building.
pub(crate) const OF_BUILDING: u64 = 60;
/// Days of birth that occur.
const DAYS: u64 = 30_000;

/// The stems 天干 and branches 地支 of the calendar.
const STEMS: [&str; 10] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"];
const BRANCHES: [&str; 12] = ["子", "丑", "寅", "卯", "辰", "巳", "午", "未", "申", "酉", "戌", "亥"];

/// The columns of a file.
pub(crate) const HOUSEHOLD_COLUMNS: &str = "code,building,door,occupancy";
/// The columns of a file.
pub(crate) const RESIDENT_COLUMNS: &str = "code,name,sex,birth_date,citizen_id,household,ground,from,to";

/// A household.
#[derive(Debug)]
pub(crate) struct Household {
    pub(crate) id: String,
    pub(crate) building: String,
    pub(crate) door: String,
    pub(crate) occupancy: &'static str,
}

/// The `n`th household, counted from 0.
pub(crate) fn household(n: u64) -> Household {
    let occupancies = ["OWNED", "OWNED", "RENTED", "VACANT"];
    Household {
        id: format!("h-{n:08}"),
        building: building(n / OF_BUILDING),
        door: format!("{:02}{:02}", 1 + n % OF_BUILDING / 4, 1 + n % 4),
        occupancy: occupancies[(n % 4) as usize],
    }
}

/// The id of the `n`th building.
pub(crate) fn building(n: u64) -> String {
    format!("u-{n:06}")
}

/// A resident.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) sex: char,
    pub(crate) birth: Date,
    pub(crate) citizen: String,
    pub(crate) household: String,
    pub(crate) ground: &'static str,
    pub(crate) from: Date,
}

/// The `n`th resident of a town of so many households.
pub(crate) fn resident(n: u64, residents: u64, households: u64) -> Resident {
    let day = i64::try_from(n * 7_919 % DAYS).unwrap_or_default();
    let birth = date(1935, 1, 1) + day.days();
    let serial = n / DAYS % 1_000;
    let stem = |n: u64| STEMS[(n % 10) as usize];
    let digits = format!("310199{}{serial:03}", birth.strftime("%Y%m%d"));
    Resident {
        id: format!("r-{n:08}"),
        name: format!("{}{}{}", stem(n), BRANCHES[(n / 10 % 12) as usize], stem(n / 120)),
        sex: if serial % 2 == 1 { 'M' } else { 'F' },
        birth,
        citizen: format!("{digits}{}", check(&digits)),
        household: household(n * households / residents.max(1)).id,
        ground: if n.is_multiple_of(5) { "RESIDENCE_PERMIT" } else { "REGISTERED" },
        from: birth.max(date(2010, 1, 1)),
    }
}

/// The check character of an identity number (GB 11643-1999).
fn check(digits: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    char::from(b"10X98765432"[(sum % 11) as usize])
}

impl Household {
    /// As a row of a file.
    pub(crate) fn csv(&self) -> String {
        let Household { id, building, door, occupancy } = self;
        format!("{id},{building},{door},{occupancy}\n")
    }
}

impl Resident {
    /// As a row of a file.
    pub(crate) fn csv(&self) -> String {
        let Resident { id, name, sex, birth, citizen, household, ground, from } = self;
        format!("{id},{name},{sex},{birth},{citizen},{household},{ground},{from},\n")
    }
}
