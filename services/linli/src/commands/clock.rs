//! `linli clock`: business time in development.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use jiff::{ToSpan, civil::Date};

use crate::{Done, client, dev};

#[derive(clap::Subcommand)]
pub(crate) enum Act {
    /// Sets the day.
    Set {
        /// Like 2020-06-01.
        date: Date,
    },
    /// Goes on by some days: `advance 5 working-days`, `advance 3 days`.
    Advance {
        /// How many.
        number: u32,
        /// `days` or `working-days`.
        #[arg(default_value = "days")]
        unit: String,
    },
}

pub(crate) async fn run(act: Option<Act>) -> Done {
    let (gateway, admin) = client::addresses()?;
    let today = today(&admin.to_string()).await?;
    let wanted = match act {
        None => None,
        Some(Act::Set { date }) => Some(date),
        Some(Act::Advance { number, unit }) if unit.starts_with("day") => {
            Some(today + i64::from(number).days())
        }
        Some(Act::Advance { number, unit }) if unit.starts_with("working-day") => {
            Some(term(&gateway.to_string(), today, number).await?)
        }
        Some(Act::Advance { unit, .. }) => return Err(format!("{unit}: days or working-days").into()),
    };
    let now = match wanted {
        None => today,
        Some(date) => {
            let body = serde_json::json!({"today": date}).to_string();
            let request = Request::post(format!("http://{admin}/clock"))
                .header("content-type", "application/json")
                .body(Full::from(body))?;
            let (status, body) = client::send(request).await?;
            if !status.is_success() {
                return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
            }
            date
        }
    };
    println!("{now}");
    Ok(())
}

async fn today(admin: &str) -> Result<Date, Box<dyn std::error::Error + Send + Sync>> {
    let (status, body) =
        client::send(Request::get(format!("http://{admin}/clock")).body(Full::new(Bytes::new()))?).await?;
    if !status.is_success() {
        return Err("business time can only be set in development".into());
    }
    let answer: serde_json::Value = serde_json::from_slice(&body)?;
    Ok(answer["today"].as_str().unwrap_or_default().parse()?)
}

/// The end of a term of working days, as governance computes it.
async fn term(
    gateway: &str,
    start: Date,
    days: u32,
) -> Result<Date, Box<dyn std::error::Error + Send + Sync>> {
    let config = dev::config()?;
    let issuer = chassis::identity::DevIssuer::load_or_create(&dev::data_dir(&config))?;
    let token = dev::token(&issuer, "town-officer", None, None, std::time::Duration::from_secs(60))?;
    let url = format!("http://{gateway}/v1/calendarDays:computeTerm?start_date={start}&working_days={days}");
    let request =
        Request::get(url).header("authorization", format!("Bearer {token}")).body(Full::new(Bytes::new()))?;
    let (status, body) = client::send(request).await?;
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    let answer: serde_json::Value = serde_json::from_slice(&body)?;
    let part = |name: &str| answer["dueDate"][name].as_i64().unwrap_or_default();
    Ok(Date::new(part("year") as i16, part("month") as i8, part("day") as i8)?)
}
